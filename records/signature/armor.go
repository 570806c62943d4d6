package signature

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
)

// The armor of OpenPGP (RFC 9580, 6.2) is read here because openpgp/armor looks for a block anywhere,
// drops what lies around it and does not check its checksum: two readers would see two things.
const (
	armorSignature = "PGP SIGNATURE"
	armorPublicKey = "PGP PUBLIC KEY BLOCK"
	armorColumns   = 76 // of base64 in a line, at most
)

// isArmored reports whether b starts with an armored block of a kind; blank lines may come first.
func isArmored(b []byte, kind string) bool {
	return bytes.HasPrefix(trimBlank(b), []byte("-----BEGIN "+kind+"-----"))
}

// trimBlank drops white space in front.
func trimBlank(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// dearmor reads armored blocks of one kind up to the end of b and gives their contents, one after
// the other: projects put the signatures of several people into one file.
func dearmor(b []byte, kind string) ([]byte, error) {
	var out []byte
	for blocks := 0; ; blocks++ {
		b = trimBlank(b)
		if len(b) == 0 && blocks > 0 {
			return out, nil
		}
		if !isArmored(b, kind) {
			return nil, fmt.Errorf("something that is no %s lies in it", kind)
		}
		content, rest, err := dearmorOne(b, kind)
		if err != nil {
			return nil, err
		}
		out, b = append(out, content...), rest
	}
}

// dearmorOne reads the block that b starts with.
func dearmorOne(b []byte, kind string) (content, rest []byte, err error) {
	line, rest := cutLine(b)
	if string(line) != "-----BEGIN "+kind+"-----" {
		return nil, nil, errors.New("the armor's first line holds something else")
	}
	for { // headers, up to a blank line
		if len(rest) == 0 {
			return nil, nil, errors.New("it is cut short")
		}
		line, rest = cutLine(rest)
		if len(line) == 0 {
			break
		}
		if !bytes.Contains(line, []byte(": ")) && !bytes.HasSuffix(line, []byte(":")) {
			return nil, nil, errors.New("its armor has no blank line before the signature")
		}
	}
	var text, sum []byte
	for {
		if len(rest) == 0 {
			return nil, nil, errors.New("it is cut short")
		}
		line, rest = cutLine(rest)
		if string(line) == "-----END "+kind+"-----" {
			break
		}
		switch {
		case sum != nil:
			return nil, nil, errors.New("something follows its checksum")
		case len(line) == 0:
			return nil, nil, errors.New("its armor holds a blank line")
		case len(line) > armorColumns || bytes.IndexByte(line, '\r') >= 0: // base64 below would skip it
			return nil, nil, fmt.Errorf("its armor holds a line of more than %d characters, or a carriage return", armorColumns)
		case len(line) == 5 && line[0] == '=':
			sum = line[1:]
		default:
			text = append(text, line...)
		}
	}
	content, err = base64.StdEncoding.DecodeString(string(text))
	if err != nil || len(content) == 0 {
		return nil, nil, errors.New("its armor is not base64")
	}
	if sum != nil {
		want, err := base64.StdEncoding.DecodeString(string(sum))
		if err != nil || !bytes.Equal(want, crc24(content)) {
			return nil, nil, errors.New("its checksum is wrong")
		}
	}
	return content, rest, nil
}

// cutLine splits b behind its first line, which is given without its end and without blanks there.
func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return bytes.TrimRight(line, " \t\r"), rest
}

// crc24 is the checksum of armor (RFC 9580, 6.1.1). It finds damage, nothing else.
func crc24(b []byte) []byte {
	crc := uint32(0xb704ce)
	for _, c := range b {
		crc ^= uint32(c) << 16
		for range 8 {
			crc <<= 1
			if crc&0x1000000 != 0 {
				crc ^= 0x1864cfb
			}
		}
	}
	return []byte{byte(crc >> 16), byte(crc >> 8), byte(crc)}
}
