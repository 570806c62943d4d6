package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// certificate is all that was handed in about one primary key, from however many copies. It is
// gathered packet by packet and not by openpgp.ReadEntity, which refuses a copy without user ids:
// key servers hand out just such copies, and they may be the only ones that hold the revocation (S2).
// Nothing in it was verified.
type certificate struct {
	primary     *packet.PublicKey
	revocations []*packet.Signature
	direct      []*packet.Signature
	users       []*userID
	subkeys     []*subkey

	seen map[placed]bool
}

// maxOwn is how many signatures a certificate may hold about itself, for each costs time to check. No
// owner comes near. With more it vouches for nothing: leaving some out could leave a revocation out.
const maxOwn = 500

// placed is one signature in one place of a certificate.
type placed struct {
	list *[]*packet.Signature
	sig  [sha256.Size]byte
}

type userID struct {
	packet      *packet.UserId
	self        []*packet.Signature
	revocations []*packet.Signature
}

type subkey struct {
	key         *packet.PublicKey
	bindings    []*packet.Signature
	revocations []*packet.Signature
}

// certificateReader puts packets where they belong. What it cannot place it leaves out: that can take
// a key away, and never adds one.
type certificateReader struct {
	byFingerprint map[string]*certificate
	now           *certificate // the one being read; nil: what follows belongs to nothing known
	user          *userID
	subkey        *subkey
}

// read takes a stream of certificates and counts the primary keys in it.
func (r *certificateReader) read(stream io.Reader) (int, error) {
	keys := 0
	packets := packet.NewReader(stream)
	for {
		p, err := packets.NextWithUnsupported()
		if errors.Is(err, io.EOF) {
			return keys, nil
		}
		if isMalformed(err) { // one packet of a keyring that nobody can read; it was skipped
			r.now, r.user, r.subkey = nil, nil, nil
			continue
		}
		if err != nil {
			return keys, fmt.Errorf("reading certificates: %w", err)
		}
		switch p := p.(type) {
		case *packet.PublicKey:
			r.key(p)
			if !p.IsSubkey && r.now != nil {
				keys++
			}
		case *packet.PrivateKey:
			r.now, r.user, r.subkey = nil, nil, nil
		case *packet.UserId:
			r.userID(p)
		case *packet.Signature:
			r.signature(p)
		case *packet.UnsupportedPacket:
			r.unsupported(p.IncompletePacket)
		case *packet.Compressed, *packet.LiteralData, *packet.SymmetricallyEncrypted, *packet.AEADEncrypted:
			return keys, errors.New("reading certificates: they hold a message")
		default: // a user attribute: the signatures behind it are about a picture
			r.user, r.subkey = nil, nil
		}
	}
}

// unsupported closes what the packet would have opened, so that signatures over it go nowhere.
func (r *certificateReader) unsupported(p packet.Packet) {
	switch p := p.(type) {
	case *packet.Signature:
	case *packet.PublicKey:
		if !p.IsSubkey {
			r.now = nil
		}
		r.user, r.subkey = nil, nil
	default:
		r.user, r.subkey = nil, nil
	}
}

// key begins a certificate or a subkey.
func (r *certificateReader) key(p *packet.PublicKey) {
	r.user, r.subkey = nil, nil
	if p.IsSubkey {
		if r.now == nil {
			return
		}
		for _, s := range r.now.subkeys {
			if string(s.key.Fingerprint) == string(p.Fingerprint) {
				r.subkey = s
				return
			}
		}
		r.subkey = &subkey{key: p}
		r.now.subkeys = append(r.now.subkeys, r.subkey)
		return
	}
	r.now = nil
	if p.Version != 4 && p.Version != 6 {
		return
	}
	name := fingerprint(p)
	if r.byFingerprint[name] == nil {
		r.byFingerprint[name] = &certificate{primary: p}
	}
	r.now = r.byFingerprint[name]
}

// userID begins a user id.
func (r *certificateReader) userID(p *packet.UserId) {
	r.user, r.subkey = nil, nil
	if r.now == nil {
		return
	}
	for _, u := range r.now.users {
		if u.packet.Id == p.Id {
			r.user = u
			return
		}
	}
	r.user = &userID{packet: p}
	r.now.users = append(r.now.users, r.user)
}

// signature puts a signature where its type says. Those of other people say nothing here.
func (r *certificateReader) signature(sig *packet.Signature) {
	if r.now == nil {
		return
	}
	switch sig.SigType {
	case packet.SigTypeKeyRevocation:
		r.now.keep(&r.now.revocations, sig)
	case packet.SigTypeDirectSignature:
		r.now.keep(&r.now.direct, sig)
	case packet.SigTypeGenericCert, packet.SigTypePersonaCert, packet.SigTypeCasualCert, packet.SigTypePositiveCert:
		if r.user != nil && sig.CheckKeyIdOrFingerprint(r.now.primary) {
			r.now.keep(&r.user.self, sig)
		}
	case packet.SigTypeCertificationRevocation:
		if r.user != nil && sig.CheckKeyIdOrFingerprint(r.now.primary) {
			r.now.keep(&r.user.revocations, sig)
		}
	case packet.SigTypeSubkeyBinding:
		if r.subkey != nil {
			r.now.keep(&r.subkey.bindings, sig)
		}
	case packet.SigTypeSubkeyRevocation:
		if r.subkey != nil {
			r.now.keep(&r.subkey.revocations, sig)
		}
	default:
	}
}

// keep adds a signature to a list of the certificate unless it is there: many lists of people may
// bring copies of one certificate.
func (c *certificate) keep(list *[]*packet.Signature, sig *packet.Signature) {
	digest := sha256.New()
	if sig.Serialize(digest) != nil || c.flooded() {
		return
	}
	at := placed{list: list, sig: [sha256.Size]byte(digest.Sum(nil))}
	if c.seen[at] {
		return
	}
	if c.seen == nil {
		c.seen = map[placed]bool{}
	}
	c.seen[at] = true
	*list = append(*list, sig)
}

// flooded reports whether there are too many signatures to check them all.
func (c *certificate) flooded() bool { return len(c.seen) > maxOwn }

// entity is the certificate as the library judges it. It is made anew for each moment because
// the library remembers in it what held at the time that it was first asked about.
func (c *certificate) entity() *openpgp.Entity {
	e := &openpgp.Entity{
		PrimaryKey:       c.primary,
		Identities:       map[string]*openpgp.Identity{},
		Revocations:      verifiable(c.revocations),
		DirectSignatures: verifiable(c.direct),
	}
	for _, u := range c.users {
		if len(u.self) > 0 {
			e.Identities[u.packet.Id] = &openpgp.Identity{
				Primary: e, Name: u.packet.Id, UserId: u.packet,
				SelfCertifications: verifiable(u.self), Revocations: verifiable(u.revocations),
			}
		}
	}
	for _, s := range c.subkeys {
		e.Subkeys = append(e.Subkeys, openpgp.Subkey{
			Primary: e, PublicKey: s.key, Bindings: verifiable(s.bindings), Revocations: verifiable(s.revocations),
		})
	}
	return e
}

// key finds the key that a signature names: the primary one (true) or a subkey.
func (c *certificate) key(sig *packet.Signature) (*packet.PublicKey, bool) {
	if sig.CheckKeyIdOrFingerprint(c.primary) {
		return c.primary, true
	}
	for _, s := range c.subkeys {
		if sig.CheckKeyIdOrFingerprint(s.key) {
			return s.key, false
		}
	}
	return nil, false
}

func verifiable(sigs []*packet.Signature) []*packet.VerifiableSignature {
	out := make([]*packet.VerifiableSignature, len(sigs))
	for i, sig := range sigs {
		out[i] = packet.NewVerifiableSig(sig)
	}
	return out
}

// fingerprint is a key's as F2 writes it.
func fingerprint(key *packet.PublicKey) string {
	return strings.ToUpper(hex.EncodeToString(key.Fingerprint))
}

// isMalformed reports whether the library could delimit a packet and not read it.
func isMalformed(err error) bool {
	var malformed pgperrors.StructuralError
	return errors.As(err, &malformed)
}
