package signature

import (
	"crypto"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// minRSABits is the size of the smallest RSA key that is relied on (S2).
const minRSABits = 2048

// judgeBy checks one signature with one certificate. The order is that of what weighs most: bytes
// that were not signed are Bad whoever's key it is, and a revoked key is Revoked whatever else.
func (v *pgpVerifier) judgeBy(c *pgpCandidate, signer *certificate) *Result {
	key, primary := signer.key(c.sig)
	at := v.of.now
	if c.sig.CreationTime.After(at) && !c.sig.CreationTime.After(at.Add(lead)) {
		at = c.sig.CreationTime
	}
	weak := weakKey(key)
	if weak == "" {
		weak = weakKey(signer.primary)
	}
	digest, err := v.digest(c)
	if err == nil {
		err = key.VerifySignature(digest, c.sig)
	}
	if err != nil {
		// Go refuses to compute with very short RSA keys, so nothing is known about the bytes.
		if bits, _ := key.BitLength(); weak != "" && bits < 1024 {
			return &Result{State: Weak, Detail: weak}
		}
		return &Result{State: Bad, Detail: "the key " + fingerprint(signer.primary) + " did not sign these bytes"}
	}

	if signer.flooded() {
		return &Result{State: NoKey, Detail: "the certificate " + fingerprint(signer.primary) + " holds too many signatures to check"}
	}
	e, config := v.entity(signer, at), policy(at)
	r := &Result{Signer: string(OpenPGP) + ":" + fingerprint(signer.primary), CallsItself: callsItself(e, at, config)}
	if r.State, r.Detail = standing(e, key, primary, at, config); r.State == NoKey {
		r.Signer, r.CallsItself = "", "" // the certificate shows nothing about who has the key
	}
	future := c.sig.CreationTime.After(at)
	switch {
	case future && r.State != Revoked: // the key itself may be dated so, and then has no standing yet
		r.State, r.Detail = Expired, "it is dated in the future, "+day(c.sig.CreationTime)
	case r.State != Good:
	case weak != "":
		r.State, r.Detail = Weak, weak
	case rejects(c.sig.Hash):
		r.State, r.Detail = Weak, "its digest is "+c.sig.Hash.String()
	case c.sig.SigExpired(at):
		r.State, r.Detail = Expired, "the signature expired on "+day(c.sig.CreationTime.Add(seconds(c.sig.SigLifetimeSecs)))
	case c.sig.CreationTime.Before(key.CreationTime):
		*r = Result{State: Bad, Detail: "it is dated before its key was made"}
	case unknownCritical(c.sig) != "":
		r.State, r.Detail = WrongPurpose, "it must not be used by who does not know what "+unknownCritical(c.sig)+" means"
	}
	return r
}

// standing is how a certificate and the key in it stand today. What matters is now and not when the
// signature says it was made: whoever holds a revoked or expired key can date a signature at will.
func standing(e *openpgp.Entity, key *packet.PublicKey, primary bool, at time.Time, config *packet.Config) (State, string) {
	name := fingerprint(e.PrimaryKey)
	if e.Revoked(at) {
		return Revoked, "the key " + name + " was revoked"
	}
	self, err := e.VerifyPrimaryKey(at, config)
	if errors.Is(err, pgperrors.ErrKeyExpired) {
		return Expired, "the key " + name + " expired" + expiry(e.PrimaryKey, self)
	}
	if err != nil {
		return NoKey, "the certificate " + name + " does not vouch for its own key today"
	}
	if primary {
		if !self.FlagsValid || !self.FlagSign {
			return WrongPurpose, "the key " + name + " is not for signing files"
		}
		return Good, ""
	}
	for i := range e.Subkeys {
		s := &e.Subkeys[i]
		if string(s.PublicKey.Fingerprint) != string(key.Fingerprint) {
			continue
		}
		return subkeyStanding(s, at, config)
	}
	return NoKey, "the certificate " + name + " does not hold the key"
}

// subkeyStanding is how a subkey stands. The library checks the back-signature of one that may sign;
// one that may not never vouched for the certificate, so it says nothing about its owner.
func subkeyStanding(s *openpgp.Subkey, at time.Time, config *packet.Config) (State, string) {
	name := fingerprint(s.PublicKey)
	binding, err := s.LatestValidBindingSignature(at, config)
	switch {
	case err != nil:
		return NoKey, "the certificate and the signing key " + name + " do not vouch for each other"
	case !binding.FlagsValid || !binding.FlagSign:
		return NoKey, "the key " + name + " is not for signing"
	case s.Revoked(binding, at):
		return Revoked, "the signing key " + name + " was revoked"
	case s.Expired(binding, at):
		return Expired, "the signing key " + name + " expired" + expiry(s.PublicKey, binding)
	}
	return Good, ""
}

// policy is what the library is to reject in certificates (S2). SHA-1 stays allowed there, and there only:
// what it binds is a key to itself, and many keys in use have no other self-signature.
func policy(at time.Time) *packet.Config {
	return &packet.Config{Time: func() time.Time { return at }, MinRSABits: minRSABits}
}

// rejects lists the digests that no signature over a file may have.
func rejects(h crypto.Hash) bool {
	switch h {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA224, crypto.SHA3_256, crypto.SHA3_512:
		return false
	default:
		return true
	}
}

// weakKey says why a key is not relied on; "" when it is.
func weakKey(key *packet.PublicKey) string {
	config := policy(time.Time{})
	if config.RejectPublicKeyAlgorithm(key.PubKeyAlgo) {
		return "the key " + fingerprint(key) + " is a DSA key"
	}
	switch key.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSASignOnly:
		if bits, err := key.BitLength(); err != nil || bits < minRSABits {
			return fmt.Sprintf("the RSA key %s has %d bits, at least %d are needed", fingerprint(key), bits, minRSABits)
		}
	case packet.PubKeyAlgoECDSA, packet.PubKeyAlgoEdDSA:
		if curve, err := key.Curve(); err != nil || config.RejectCurve(curve) {
			return fmt.Sprintf("the key %s is on the curve %q", fingerprint(key), curve)
		}
	default:
	}
	return ""
}

// unknownCritical is the name of a notation that a reader has to know, and we know none.
func unknownCritical(sig *packet.Signature) string {
	for _, n := range sig.Notations {
		if n.IsCritical {
			return fmt.Sprintf("%q", n.Name)
		}
	}
	return ""
}

// callsItself is the certificate's main user id, else the first by name.
func callsItself(e *openpgp.Entity, at time.Time, config *packet.Config) string {
	if _, id := e.PrimaryIdentity(at, config); id != nil {
		return id.Name
	}
	for _, name := range slices.Sorted(maps.Keys(e.Identities)) {
		return name
	}
	return ""
}

// expiry is " on DAY" for a key with a lifetime.
func expiry(key *packet.PublicKey, self *packet.Signature) string {
	if self == nil || self.KeyLifetimeSecs == nil || *self.KeyLifetimeSecs == 0 {
		return ""
	}
	return " on " + day(key.CreationTime.Add(seconds(self.KeyLifetimeSecs)))
}

func seconds(n *uint32) time.Duration {
	if n == nil {
		return 0
	}
	return time.Duration(*n) * time.Second
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
