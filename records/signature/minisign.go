package signature

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/blake2b"
)

// rawSignature is a signature file of minisign or signify: an algorithm, a key number, an ed25519
// signature. Minisign's second signature is over the first and the trusted comment.
type rawSignature struct {
	format Format
	hashed bool // minisign's "ED": over the BLAKE2b-512 digest of the file
	number [8]byte
	sig    [ed25519.SignatureSize]byte

	comment string
	global  [ed25519.SignatureSize]byte
}

const (
	trustedComment = "trusted comment: "
	maxUntrusted   = 1 << 10 // bytes of a line, as in minisign
	maxTrusted     = 8 << 10
)

// detectRaw tells a signature file of minisign or signify by its third line. A key file, and a message
// that signify wrote its signature into, are neither.
func detectRaw(file []byte) Format {
	const head = 4 << 10 // the lines before it are shorter
	lines := rawLines(file[:min(len(file), head)])
	switch {
	case len(lines) >= 2 && len(lines[1]) == base64.StdEncoding.EncodedLen(2+8+ed25519.PublicKeySize):
		return ""
	case len(lines) <= 2:
		return Signify
	case strings.HasPrefix(lines[2], trustedComment):
		return Minisign
	default:
		return ""
	}
}

// cutEmbedded splits what `signify -S -e` writes, as OpenBSD's SHA256.sig: a signature and then the
// bytes that it is over.
func cutEmbedded(file []byte) (sig *Signature, text []byte, ok bool) {
	if !bytes.HasPrefix(file, []byte(untrustedComment)) || detectRaw(file) != "" {
		return nil, nil, false
	}
	_, rest, _ := bytes.Cut(file, []byte("\n"))
	_, text, _ = bytes.Cut(rest, []byte("\n"))
	sig, err := Parse(file[:len(file)-len(text)])
	return sig, text, err == nil && sig.read != nil
}

// readRaw reads a signature file; the error says what is broken.
func readRaw(file []byte, format Format) (*rawSignature, error) {
	lines := rawLines(file)
	want := map[Format]int{Minisign: 4, Signify: 2}[format]
	if len(lines) != want {
		return nil, fmt.Errorf("it has %d lines, not the %d of a %s signature", len(lines), want, format)
	}
	s := &rawSignature{format: format}
	if len(lines[0]) > maxUntrusted || format == Minisign && len(lines[2]) > maxTrusted {
		return nil, errors.New("its comments are longer than the tools write them")
	}
	b, err := base64.StdEncoding.Strict().DecodeString(lines[1])
	if err != nil || len(b) != 2+8+ed25519.SignatureSize {
		return nil, errors.New("its second line is not a signature")
	}
	switch {
	case string(b[:2]) == "ED" && format == Minisign:
		s.hashed = true
	case string(b[:2]) != "Ed":
		return nil, fmt.Errorf("the algorithm %q is not one of %s", b[:2], format)
	}
	copy(s.number[:], b[2:])
	copy(s.sig[:], b[10:])
	if format == Signify {
		return s, nil
	}
	comment, ok := strings.CutPrefix(lines[2], trustedComment)
	global, err := base64.StdEncoding.Strict().DecodeString(lines[3])
	if !ok || err != nil || len(global) != ed25519.SignatureSize {
		return nil, errors.New("its trusted comment is not signed")
	}
	s.comment = comment
	copy(s.global[:], global)
	return s, nil
}

func (s *rawSignature) names() []string { return []string{numberText(s.number)} }

// keys are those of its number, which anybody can give his key.
func (s *rawSignature) keys(at *Keys) []rawKey {
	var keys []rawKey
	for _, key := range at.raw {
		if key.format == s.format && key.number == s.number {
			keys = append(keys, key)
		}
	}
	return keys
}

func (s *rawSignature) claims(keys *Keys) []string {
	var claims []string
	for _, key := range s.keys(keys) {
		claims = append(claims, key.String())
	}
	return claims
}

// begin makes the verifier of a file.
func (s *rawSignature) begin(keys *Keys, of target) verifier {
	v := &rawVerifier{rawSignature: s, of: of, candidates: s.keys(keys)}
	switch {
	case len(v.candidates) == 0:
		return settled(Result{Format: s.format, State: NoKey, Detail: "no key is at hand for the key number " + numberText(s.number)})
	case s.hashed:
		v.digest, _ = blake2b.New512(nil) // fails for a key only
	}
	return v
}

// rawVerifier checks one signature against one file.
type rawVerifier struct {
	*rawSignature
	of         target
	candidates []rawKey
	digest     hash.Hash
	held       []byte // the file itself, without a digest
	over       bool   // the file is longer than MaxHeld
}

// Write implements io.Writer.
func (v *rawVerifier) Write(p []byte) (int, error) {
	switch {
	case v.digest != nil:
		v.digest.Write(p)
	case v.over || len(p) > MaxHeld-len(v.held):
		v.over, v.held = true, nil
	default:
		v.held = append(v.held, p...)
	}
	return len(p), nil
}

func (v *rawVerifier) results() []Result {
	r := Result{Format: v.format, State: Bad, Detail: "the key with the number " + numberText(v.number) + " did not sign these bytes"}
	message := v.held
	switch {
	case v.over:
		r.State = Weak
		r.Detail = fmt.Sprintf("a signature over the bytes themselves, which are more than %d: sign a digest (minisign -H, or a list)", MaxHeld)
		return []Result{r}
	case v.digest != nil:
		message = v.digest.Sum(nil)
	}
	for _, key := range v.candidates {
		if !ed25519.Verify(key.key[:], message, v.sig[:]) {
			continue
		}
		if v.format == Minisign && !ed25519.Verify(key.key[:], append(v.sig[:], v.comment...), v.global[:]) {
			r.Detail = "the trusted comment was changed"
			continue
		}
		return []Result{v.signed(key)}
	}
	return []Result{r}
}

// signed is the result for a signature that holds. What minisign writes into the trusted comment of its own
// accord is "timestamp:SECONDS", a tab and "file:NAME"; a name there is what was signed, so that an
// old release does not pass for a new one.
func (v *rawVerifier) signed(key rawKey) Result {
	r := Result{Format: v.format, State: Good, Signer: key.String(), Comment: v.comment}
	for field := range strings.SplitSeq(v.comment, "\t") {
		if text, ok := strings.CutPrefix(field, "timestamp:"); ok && r.Made.IsZero() {
			if s, err := strconv.ParseInt(text, 10, 64); err == nil && s > 0 {
				r.Made = time.Unix(s, 0).UTC()
			}
		}
		if name, ok := strings.CutPrefix(field, "file:"); ok && v.of.name != "" && path.Base(name) != v.of.name {
			r.State, r.Detail = WrongPurpose, fmt.Sprintf("its trusted comment is about the file %q", name)
		}
	}
	return r
}
