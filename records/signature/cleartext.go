package signature

import (
	"bytes"
	"errors"
	"strings"
)

const cleartextBegin = "-----BEGIN PGP SIGNED MESSAGE-----"

// isCleartext reports whether b is wrapped in a cleartext signature.
func isCleartext(b []byte) bool { return bytes.HasPrefix(trimBlank(b), []byte(cleartextBegin)) }

// readCleartext takes a cleartext signature (RFC 9580, 7) apart: the text as it was signed, with CRLF
// between its lines, and the signature. Text in front of it or behind it is refused, for nobody
// signed that and it would be read as if.
func readCleartext(b []byte) (text []byte, sig *Signature, err error) {
	line, rest := cutLine(trimBlank(b))
	if string(line) != cleartextBegin {
		return nil, nil, errors.New("its first line holds something else")
	}
	for {
		if len(rest) == 0 {
			return nil, nil, errors.New("it is cut short")
		}
		line, rest = cutLine(rest)
		if len(line) == 0 {
			break
		}
		// Anything but this one header could be text that a reader takes for signed.
		if !strings.HasPrefix(string(line), "Hash: ") {
			return nil, nil, errors.New("it has a header that is not Hash")
		}
	}
	var lines [][]byte
	for !bytes.HasPrefix(rest, []byte("-----BEGIN "+armorSignature+"-----")) {
		if len(rest) == 0 {
			return nil, nil, errors.New("it has no signature")
		}
		line, rest = cutLine(rest)
		lines = append(lines, bytes.TrimPrefix(line, []byte("- "))) // how a line that begins with a dash is written
	}
	// The block must be the last: Parse reads armored blocks up to the end.
	sig, err = Parse(rest)
	if err != nil || sig.format != OpenPGP {
		return nil, nil, errors.New("it has no OpenPGP signature")
	}
	sig.cleartext = true
	return bytes.Join(lines, []byte("\r\n")), sig, nil
}
