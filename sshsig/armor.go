package sshsig

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// MaxArmored is the size of the largest armored signature that is read (F3).
const MaxArmored = 16 << 10

const (
	armorBegin = "-----BEGIN SSH SIGNATURE-----\n"
	armorEnd   = "-----END SSH SIGNATURE-----"
	// armorColumns is the width at which ssh-keygen wraps, so that what we write looks like it.
	armorColumns = 70
)

// dearmor returns the wire bytes of an armored signature. It reads the armor itself because
// encoding/pem looks for a block anywhere, allows headers and takes CR for LF, and OpenSSH ignores
// what follows the block (F3).
func dearmor(armored []byte) ([]byte, error) {
	if len(armored) > MaxArmored {
		return nil, formatError("signature is longer than %d bytes", MaxArmored)
	}
	body, ok := bytes.CutPrefix(armored, []byte(armorBegin))
	if !ok {
		return nil, formatError("signature does not start with %s", strings.TrimSpace(armorBegin))
	}
	// The end must start a line; a body without any line is no signature.
	end := bytes.Index(body, []byte("\n"+armorEnd))
	if end < 0 {
		return nil, formatError("signature has no line %s", armorEnd)
	}
	after := body[end+1+len(armorEnd):]
	if len(bytes.Trim(after, " \t\n")) != 0 {
		return nil, formatError("something follows the signature")
	}
	text := make([]byte, 0, end)
	for line := range bytes.SplitSeq(body[:end], []byte("\n")) {
		if !isBase64Line(line) {
			return nil, formatError("signature holds a line that is not base64")
		}
		text = append(text, line...)
	}
	wire := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(wire, text)
	if err != nil {
		return nil, formatError("signature is not base64")
	}
	return wire[:n], nil
}

// isBase64Line refuses the empty line, blanks, CR and header lines in one go.
func isBase64Line(line []byte) bool {
	for _, c := range line {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/', c == '=':
		default:
			return false
		}
	}
	return len(line) > 0
}

// armor is the inverse of dearmor, laid out as ssh-keygen does.
func armor(wire []byte) []byte {
	text := base64.StdEncoding.EncodeToString(wire)
	var b bytes.Buffer
	b.WriteString(armorBegin)
	for len(text) > 0 {
		n := min(armorColumns, len(text))
		b.WriteString(text[:n])
		b.WriteByte('\n')
		text = text[n:]
	}
	b.WriteString(armorEnd)
	b.WriteByte('\n')
	return b.Bytes()
}
