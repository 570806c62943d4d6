package signature

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// ErrNoCertificate means that no certificate of an openpgp: signer is at hand, or none that a
// signature could be checked with today.
var ErrNoCertificate = errors.New("no usable certificate is at hand")

// Certificate is what a record about an openpgp: signer holds in its field certificate (F2): armored, and
// of all that is at hand only what a check needs, which is the primary key, its main user id, the
// subkeys that may sign, their newest self-signatures, and every revocation. The error wraps
// ErrNoCertificate.
func (k *Keys) Certificate(signer string, now time.Time) (string, error) {
	name, _ := strings.CutPrefix(signer, string(OpenPGP)+":")
	whole := k.certificates[name]
	if whole == nil {
		return "", fmt.Errorf("%w for %s", ErrNoCertificate, signer)
	}
	least, err := whole.least(now)
	if err != nil {
		return "", fmt.Errorf("%w for %s: %w", ErrNoCertificate, signer, err)
	}
	var b bytes.Buffer
	if err := least.write(&b); err != nil {
		return "", fmt.Errorf("%w for %s: %w", ErrNoCertificate, signer, err)
	}
	// What comes back must say the same of itself: the library writes some signatures in other bytes
	// than it read them in.
	again := certificateReader{byFingerprint: map[string]*certificate{}}
	if _, err := again.read(bytes.NewReader(b.Bytes())); err != nil || again.byFingerprint[name] == nil {
		return "", fmt.Errorf("%w for %s: it cannot be written", ErrNoCertificate, signer)
	}
	if same, err := again.byFingerprint[name].least(now); err != nil || len(same.subkeys) != len(least.subkeys) {
		return "", fmt.Errorf("%w for %s: it cannot be written", ErrNoCertificate, signer)
	}
	return enarmor(b.Bytes(), armorPublicKey), nil
}

// least is the part of a certificate that a check needs.
func (c *certificate) least(now time.Time) (*certificate, error) {
	if c.flooded() {
		return nil, errors.New("it holds too many signatures to check")
	}
	e, config := c.entity(), policy(now)
	least := &certificate{primary: c.primary, revocations: c.revocations}
	if _, err := e.VerifyPrimaryKey(now, config); err != nil {
		return nil, err
	}
	if direct, err := e.LatestValidDirectSignature(now, config); err == nil {
		least.direct = []*packet.Signature{direct}
	}
	if self, id := e.PrimaryIdentity(now, config); id != nil {
		least.users = []*userID{{packet: id.UserId, self: []*packet.Signature{self}}}
	}
	for i := range e.Subkeys {
		binding, err := e.Subkeys[i].LatestValidBindingSignature(now, config)
		if err != nil || !binding.FlagsValid || !binding.FlagSign {
			continue
		}
		least.subkeys = append(least.subkeys, &subkey{
			key: c.subkeys[i].key, bindings: []*packet.Signature{binding}, revocations: c.subkeys[i].revocations,
		})
	}
	return least, nil
}

// write puts the packets in the order of RFC 9580, 10.1.
func (c *certificate) write(w io.Writer) error {
	all := []interface{ Serialize(io.Writer) error }{c.primary}
	add := func(sigs []*packet.Signature) {
		for _, sig := range sigs {
			all = append(all, sig)
		}
	}
	add(c.revocations)
	add(c.direct)
	for _, u := range c.users {
		all = append(all, u.packet)
		add(u.self)
	}
	for _, s := range c.subkeys {
		all = append(all, s.key)
		add(s.revocations)
		add(s.bindings)
	}
	for _, p := range all {
		if err := p.Serialize(w); err != nil {
			return err
		}
	}
	return nil
}

// enarmor is the inverse of dearmor, with the checksum that older readers look for.
func enarmor(b []byte, kind string) string {
	const columns = 64
	var out strings.Builder
	out.WriteString("-----BEGIN " + kind + "-----\n\n")
	for text := base64.StdEncoding.EncodeToString(b); text != ""; {
		n := min(columns, len(text))
		out.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	out.WriteString("=" + base64.StdEncoding.EncodeToString(crc24(b)) + "\n-----END " + kind + "-----\n")
	return out.String()
}
