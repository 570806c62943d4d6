package main

import (
	"crypto/ed25519"
	"crypto/sha1" //nolint:gosec // fingerprints of version 4 are made with it
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"os"
	"strings"
)

// certificate is an OpenPGP key of version 4 with one user id (RFC 9580, with the older EdDSA that all
// programs know), as far as a web of trust needs it.
type certificate struct {
	private ed25519.PrivateKey
	body    []byte // of the public key packet
	user    string
	print   [sha1.Size]byte
}

// keysMade is when all keys were made, and a second later all that is signed with them.
const keysMade = 1_700_000_000

func newCertificate(n int) *certificate {
	seed := sha256.Sum256(fmt.Appendf(nil, "distrust bench openpgp %d", n))
	c := &certificate{private: ed25519.NewKeyFromSeed(seed[:]), user: fmt.Sprintf("Person %d <person%d@example.org>", n, n)}
	c.body = binary.BigEndian.AppendUint32([]byte{4}, keysMade)
	c.body = append(c.body, 22, 9, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01)
	c.body = appendMPI(c.body, append([]byte{0x40}, c.private.Public().(ed25519.PublicKey)...))
	c.print = sha1.Sum(c.hashed())
	return c
}

// fingerprint is how programs are told which key is meant.
func (c *certificate) fingerprint() string { return strings.ToUpper(hex.EncodeToString(c.print[:])) }

// hashed is the key as signatures and fingerprints take it in.
func (c *certificate) hashed() []byte {
	return append([]byte{0x99, byte(len(c.body) >> 8), byte(len(c.body))}, c.body...)
}

// The packets and kinds of signatures that are written here.
const (
	packetSignature = 2
	packetKey       = 6
	packetUser      = 13

	certifies     = 0x10 // somebody else's user id
	certifiesSelf = 0x13
)

// trusted is the subpacket of a certification whose subject may introduce others: how far, how much.
var trusted = subpacket(5, 3, 120)

// mayCertify is the subpacket of a key that signs other keys.
var mayCertify = subpacket(27, 0x03)

func subpacket(kind byte, data ...byte) []byte {
	return append([]byte{byte(len(data) + 1), kind}, data...)
}

// certify signs that a key belongs to its user id.
func (c *certificate) certify(of *certificate, kind byte, says []byte) []byte {
	about := subpacket(2, binary.BigEndian.AppendUint32(nil, keysMade+1)...)
	about = append(about, says...)
	about = append(about, subpacket(33, append([]byte{4}, c.print[:]...)...)...)
	body := []byte{4, kind, 22, 8, byte(len(about) >> 8), byte(len(about))}
	body = append(body, about...)

	hash := sha256.New()
	hash.Write(of.hashed())
	hash.Write(binary.BigEndian.AppendUint32([]byte{0xb4}, uint32(len(of.user))))
	hash.Write([]byte(of.user))
	hash.Write(body)
	hash.Write(binary.BigEndian.AppendUint32([]byte{4, 0xff}, uint32(len(body))))
	sum := hash.Sum(nil)
	sig := ed25519.Sign(c.private, sum)

	issuer := subpacket(16, c.print[12:]...)
	body = append(body, 0, byte(len(issuer)))
	body = append(body, issuer...)
	body = append(body, sum[:2]...)
	body = appendMPI(body, sig[:32])
	return appendMPI(body, sig[32:])
}

// appendMPI appends a number with its length in bits.
func appendMPI(to, number []byte) []byte {
	for len(number) > 0 && number[0] == 0 {
		number = number[1:]
	}
	length := 0
	if len(number) > 0 {
		length = 8*(len(number)-1) + bits.Len8(number[0])
	}
	return append(append(to, byte(length>>8), byte(length)), number...)
}

// appendPacket appends one packet with a length of the new format.
func appendPacket(to []byte, tag byte, body []byte) []byte {
	to = append(to, 0xc0|tag)
	if n := len(body); n < 192 {
		to = append(to, byte(n))
	} else {
		to = append(to, byte((n-192)>>8)+192, byte(n-192))
	}
	return append(to, body...)
}

// keyring writes an OpenPGP network of so many certifications, each others' on a key: the first key
// reaches all others in a few steps. It is seeded, and every signature is real.
func keyring(path string, statements, each int) error {
	people := make([]*certificate, statements/each)
	for i := range people {
		people[i] = newCertificate(i)
	}
	certified := make([][][]byte, len(people))
	err := inParallel(len(people), func(i int) error {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		chosen := map[int]bool{i: true}
		by := max(0, i-1) / each // a tree, whose root is the first
		for len(certified[i]) < each {
			if !chosen[by] {
				chosen[by] = true
				certified[i] = append(certified[i], people[by].certify(people[i], certifies, trusted))
			}
			by = r.IntN(len(people))
		}
		return nil
	})
	if err != nil {
		return err
	}
	var ring []byte
	for i, c := range people {
		ring = appendPacket(ring, packetKey, c.body)
		ring = appendPacket(ring, packetUser, []byte(c.user))
		ring = appendPacket(ring, packetSignature, c.certify(c, certifiesSelf, mayCertify))
		for _, sig := range certified[i] {
			ring = appendPacket(ring, packetSignature, sig)
		}
	}
	return os.WriteFile(path, ring, 0o600)
}

// rootAndFar are the key from which an OpenPGP network is seen, and one at its far end.
func rootAndFar(statements, each int) (root, far *certificate) {
	return newCertificate(0), newCertificate(statements/each - 1)
}
