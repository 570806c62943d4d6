package signature

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
)

// rawKey is a public key of minisign or signify: both write the algorithm "Ed", a key number that
// is any 8 bytes, and an ed25519 key. One key of the two formats is two identities (F2).
type rawKey struct {
	format Format
	number [8]byte
	key    [ed25519.PublicKeySize]byte
}

const untrustedComment = "untrusted comment: "

// String is the identity of F2.
func (k rawKey) String() string {
	b := append([]byte("Ed"), k.number[:]...)
	return string(k.format) + ":" + base64.StdEncoding.EncodeToString(append(b, k.key[:]...))
}

// parseRawKey reads the base64 line of a public key.
func parseRawKey(format Format, text string) (rawKey, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != 2+8+ed25519.PublicKeySize || string(b[:2]) != "Ed" || strings.ContainsAny(text, "\r\n") {
		return rawKey{}, errors.New("not the line of a " + string(format) + " public key")
	}
	key := rawKey{format: format}
	copy(key.number[:], b[2:])
	copy(key.key[:], b[10:])
	return key, nil
}

// parseRawKeyFile reads a public key file of minisign, whose tool says its name in the comment, or
// of signify. A line alone is minisign's, which takes keys so on its command line.
func parseRawKeyFile(file []byte) (rawKey, bool) {
	const longest = 2 << 10 // both tools cut the comment at 1 KiB
	if len(file) > longest {
		return rawKey{}, false
	}
	lines := rawLines(file)
	format, text := Minisign, ""
	switch {
	case len(lines) == 1:
		text = lines[0]
	case len(lines) == 2 && strings.HasPrefix(lines[0], untrustedComment):
		text = lines[1]
		if !strings.HasPrefix(lines[0], untrustedComment+"minisign ") {
			format = Signify
		}
	}
	key, err := parseRawKey(format, text)
	return key, err == nil
}

// rawLines splits a file of minisign or signify; the last line may lack its end.
func rawLines(file []byte) []string {
	text := strings.ReplaceAll(string(bytes.TrimRight(file, "\r\n")), "\r\n", "\n")
	return strings.Split(text, "\n")
}

// numberText is a key number as minisign prints it: as one number, without leading zeroes.
func numberText(number [8]byte) string {
	return strings.ToUpper(strconv.FormatUint(binary.LittleEndian.Uint64(number[:]), 16))
}
