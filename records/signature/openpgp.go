package signature

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// A file may hold the signatures of several people. Version 6 salts each digest, so that the file is
// hashed once more for every signature; the others share one digest for each algorithm.
const (
	maxPackets = 64
	maxSalted  = 4
)

// lead is how far ahead of ours the clock of a signer may be, as for heads (F5.6).
const lead = time.Hour

// pgpSignature is a signature file of OpenPGP.
type pgpSignature struct {
	packets []pgpPacket
}

// pgpPacket is one signature: read, or of a kind that is not relied on.
type pgpPacket struct {
	sig  *packet.Signature
	weak string // why it is not looked at any further; sig may be incomplete
}

// isSignaturePacket tells the beginning of a binary signature (RFC 9580, 4.2: packet type 2) from other
// files that begin with such a byte, by the version in the packet.
func isSignaturePacket(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	header := 0
	switch {
	case b[0]&0xfc == 0x88: // old form: 1, 2 or 4 bytes of length
		header = 1 + 1<<(b[0]&3)
		if b[0]&3 == 3 {
			return false
		}
	case b[0] == 0xc2 && len(b) > 1:
		switch {
		case b[1] < 192:
			header = 2
		case b[1] < 224:
			header = 3
		case b[1] == 255:
			header = 6
		default:
			return false
		}
	default:
		return false
	}
	return len(b) > header && b[header] >= 2 && b[header] <= 6
}

// readPGP reads the signatures of a file; the error says what is broken.
func readPGP(file []byte) (*pgpSignature, error) {
	if isArmored(file, armorSignature) {
		var err error
		if file, err = dearmor(file, armorSignature); err != nil {
			return nil, err
		}
	}
	s, salted := &pgpSignature{}, 0
	packets := packet.NewReader(bytes.NewReader(file))
	for {
		p, err := packets.NextWithUnsupported()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.New("it is cut short or damaged")
		}
		var read pgpPacket
		switch p := p.(type) {
		case *packet.Signature:
			read = pgpPacket{sig: p}
			if p.Version == 5 {
				read.weak = "version 5 of OpenPGP signatures was never a standard"
			}
		case *packet.UnsupportedPacket:
			sig, ok := p.IncompletePacket.(*packet.Signature)
			if !ok {
				return nil, errors.New("it holds something that is no signature")
			}
			read = pgpPacket{sig: sig, weak: unsupportedReason(p.Error.Error())}
		default:
			return nil, errors.New("it holds something that is no signature")
		}
		if read.sig.Version == 6 {
			salted++
		}
		if s.packets = append(s.packets, read); len(s.packets) > maxPackets || salted > maxSalted {
			return nil, fmt.Errorf("it holds more than %d signatures, or more than %d salted ones", maxPackets, maxSalted)
		}
	}
	if len(s.packets) == 0 {
		return nil, errors.New("it holds no signature")
	}
	return s, nil
}

// unsupportedReason turns the library's words for what it does not read into ours. MD5 is one of
// the digests that it does not know (RFC 9580, 9.5: 1 and 3).
func unsupportedReason(text string) string {
	switch {
	case strings.HasSuffix(text, "hash function 1"):
		return "its digest is MD5"
	case strings.HasSuffix(text, "hash function 3"):
		return "its digest is RIPEMD-160"
	default:
		return strings.TrimPrefix(text, "openpgp: unsupported feature: ") + " is not relied on"
	}
}

// names are the fingerprints, or key ids, of who made it.
func (s *pgpSignature) names() []string {
	var names []string
	for _, p := range s.packets {
		if name := issuer(p.sig); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func (s *pgpSignature) claims(keys *Keys) []string {
	var claims []string
	for _, p := range s.packets {
		for _, c := range keys.signersOf(p.sig) {
			claims = append(claims, string(OpenPGP)+":"+fingerprint(c.primary))
		}
	}
	return claims
}

// issuer is what a signature calls its key.
func issuer(sig *packet.Signature) string {
	switch {
	case len(sig.IssuerFingerprint) > 0:
		return fmt.Sprintf("%X", sig.IssuerFingerprint)
	case sig.IssuerKeyId != nil:
		return fmt.Sprintf("%016X", *sig.IssuerKeyId)
	default:
		return ""
	}
}

// begin makes the verifier of a file. Over text, signatures of type 0x01 count, and 0x00 too unless
// the text comes out of a cleartext signature.
func (s *pgpSignature) begin(keys *Keys, of target) verifier {
	v := &pgpVerifier{keys: keys, of: of, shared: map[crypto.Hash]hash.Hash{}, entities: map[entityAt]*openpgp.Entity{}}
	for _, p := range s.packets {
		c := pgpCandidate{pgpPacket: p}
		if v.settled(&c) == nil {
			c.signers = keys.signersOf(p.sig)
		}
		if len(c.signers) > 0 {
			v.prepare(&c)
		}
		v.candidates = append(v.candidates, c)
	}
	return v
}

// pgpVerifier checks the signatures of one file.
type pgpVerifier struct {
	keys       *Keys
	of         target
	shared     map[crypto.Hash]hash.Hash
	writers    []io.Writer
	candidates []pgpCandidate
	entities   map[entityAt]*openpgp.Entity // judged once for all signatures
}

// entityAt is a certificate at a moment.
type entityAt struct {
	c  *certificate
	at int64
}

// entity is a certificate as the library judges it at a moment.
func (v *pgpVerifier) entity(c *certificate, at time.Time) *openpgp.Entity {
	key := entityAt{c, at.Unix()}
	if v.entities[key] == nil {
		v.entities[key] = c.entity()
	}
	return v.entities[key]
}

// pgpCandidate is one signature, and who may have made it.
type pgpCandidate struct {
	pgpPacket
	signers []*certificate
	own     hash.Hash // a digest of its own: salted, or of text
	text    hash.Hash // what is written to in place of own, when the digest is of text
}

// signersOf are the certificates that hold the key which a signature names, always in one order.
func (k *Keys) signersOf(sig *packet.Signature) []*certificate {
	var found []*certificate
	for _, name := range slices.Sorted(maps.Keys(k.certificates)) {
		if key, _ := k.certificates[name].key(sig); key != nil {
			found = append(found, k.certificates[name])
		}
	}
	return found
}

// prepare sees to it that the digest of a signature is made.
func (v *pgpVerifier) prepare(c *pgpCandidate) {
	sig := c.sig
	if sig.SigType == packet.SigTypeBinary && sig.Version == 4 {
		if v.shared[sig.Hash] == nil {
			v.shared[sig.Hash] = sig.Hash.New()
			v.writers = append(v.writers, v.shared[sig.Hash])
		}
		return
	}
	c.own = sig.Hash.New()
	c.own.Write(sig.Salt())
	if c.text = c.own; sig.SigType == packet.SigTypeText {
		c.text = openpgp.NewCanonicalTextHash(c.own)
	}
	v.writers = append(v.writers, c.text)
}

// Write implements io.Writer.
func (v *pgpVerifier) Write(p []byte) (int, error) {
	for _, w := range v.writers {
		_, _ = w.Write(p) // digests do not fail
	}
	return len(p), nil
}

// results judges every signature.
func (v *pgpVerifier) results() []Result {
	out := make([]Result, len(v.candidates))
	for i := range v.candidates {
		c := &v.candidates[i]
		r := v.settled(c)
		if r == nil {
			r = v.judge(c)
		}
		r.Format, r.Made = OpenPGP, c.sig.CreationTime
		out[i] = *r
	}
	return out
}

// settled is what a signature says of itself that no key can mend.
func (v *pgpVerifier) settled(c *pgpCandidate) *Result {
	sig := c.sig
	switch {
	case c.weak != "" && sig.Version == 0:
		return &Result{State: Weak, Detail: c.weak}
	case sig.SigType == packet.SigTypeText && !v.of.text:
		return &Result{State: WrongPurpose, Detail: "a signature over text, which leaves the bytes of a file open"}
	case sig.SigType != packet.SigTypeText && (sig.SigType != packet.SigTypeBinary || v.of.cleartext):
		return &Result{State: WrongPurpose, Detail: fmt.Sprintf("a signature of type 0x%02x, not over a file", int(sig.SigType))}
	case c.weak != "":
		return &Result{State: Weak, Detail: c.weak}
	case !sig.Hash.Available():
		return &Result{State: Weak, Detail: "its digest is not known here"}
	}
	return nil
}

// judge asks every certificate that may have made it; one good answer is enough.
func (v *pgpVerifier) judge(c *pgpCandidate) *Result {
	best := &Result{State: NoKey, Detail: "no key is at hand for " + keyName(c.sig)}
	for _, signer := range c.signers {
		r := v.judgeBy(c, signer)
		if r.State == Good {
			return r
		}
		// Two certificates may claim one subkey: what the first says is kept unless it says nothing.
		if best.State == NoKey {
			best = r
		}
	}
	return best
}

// keyName says which key a signature names, for a sentence.
func keyName(sig *packet.Signature) string {
	if name := issuer(sig); name != "" {
		return "the key " + name
	}
	return "it, and it names none"
}

// digest is a copy of the digest of what was written, to be finished with the signature's own part.
func (v *pgpVerifier) digest(c *pgpCandidate) (hash.Hash, error) {
	if c.own != nil {
		// Two certificates may be asked about one signature, and asking finishes the digest.
		return clone(c.own)
	}
	return clone(v.shared[c.sig.Hash])
}

// clone copies a running digest.
func clone(h hash.Hash) (hash.Hash, error) {
	cloner, ok := h.(hash.Cloner)
	if !ok {
		return nil, errors.New("digest cannot be copied")
	}
	return cloner.Clone()
}
