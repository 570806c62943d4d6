package sshsig_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/sshsig"
)

// FuzzVerify: what is accepted has one meaning for every reader, and what is refused says why.
func FuzzVerify(f *testing.F) {
	seeds := specimens(f)
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add(s.armored)
	}
	f.Fuzz(func(t *testing.T, armored []byte) {
		key, err := sshsig.Verify([]byte(forgedMessage), armored, sshsig.NamespaceRecord)
		if err != nil {
			if !key.IsZero() || !typed(err) {
				t.Fatalf("%v, %v", key, err)
			}
			return
		}
		if len(armored) > sshsig.MaxArmored || !bytes.HasPrefix(armored, []byte(begin)) ||
			bytes.Count(armored, []byte("-----")) != 4 || bytes.ContainsAny(armored, "\r:\x00") {
			t.Fatalf("accepted %q", armored)
		}
		block, rest := pem.Decode(armored)
		if block == nil || len(block.Headers) != 0 || len(bytes.TrimSpace(rest)) != 0 {
			t.Fatalf("encoding/pem reads %q differently", armored)
		}
		info, err := sshsig.Inspect(armored)
		if err != nil || info.Key != key || info.Namespace != sshsig.NamespaceRecord {
			t.Fatalf("Inspect = %+v, %v", info, err)
		}
		if again, err := sshsig.Verify([]byte(forgedMessage), wrap(block.Bytes, 70), sshsig.NamespaceRecord); err != nil || again != key {
			t.Fatalf("wrapped as ssh-keygen does: %v, %v", again, err)
		}
		if _, err := sshsig.Verify([]byte("other\n"), armored, sshsig.NamespaceRecord); !errors.Is(err, sshsig.ErrBadSignature) {
			t.Fatalf("accepted for two messages: %v", err)
		}
		if _, err := sshsig.Verify([]byte(forgedMessage), armored, sshsig.NamespaceHead); !errors.Is(err, sshsig.ErrNamespace) {
			t.Fatalf("accepted for two purposes: %v", err)
		}
	})
}

// typed reports whether an error is one that this package documents.
func typed(err error) bool {
	for _, want := range append([]error{errFormat}, sentinels...) {
		if isOnly(err, want) {
			return true
		}
	}
	return false
}

// FuzzParseKey: one key has one text, and golang.org/x/crypto reads the same key in it.
func FuzzParseKey(f *testing.F) {
	keys := makeTestKeys()
	for _, wire := range [][]byte{keys.ed25519.PublicKey().Marshal(), keys.ecdsa.PublicKey().Marshal(), keys.weakRSA.PublicKey().Marshal(), keys.skECDSA.public()} {
		pub, err := ssh.ParsePublicKey(wire)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub))))
	}
	f.Add("ssh-ed25519 AAAA me")
	f.Fuzz(func(t *testing.T, s string) {
		key, err := sshsig.ParseKey(s)
		if err != nil {
			if !key.IsZero() || !typed(err) {
				t.Fatalf("%v, %v", key, err)
			}
			return
		}
		if key.String() != s {
			t.Fatalf("%q became %q", s, key)
		}
		line, comment, err := sshsig.ParseAuthorizedKey(s + " me")
		if err != nil || line != key || comment != "me" {
			t.Fatalf("as a line: %v, %q, %v", line, comment, err)
		}
		pub, _, _, _, err := ssh.ParseAuthorizedKey([]byte(s))
		if err != nil || string(pub.Marshal()) != string(key.Wire()) {
			t.Fatalf("x/crypto reads %v, %v", pub, err)
		}
	})
}

// FuzzAllowedSigners: each line counts or has its note, and nobody is allowed whose key is not in
// the file.
func FuzzAllowedSigners(f *testing.F) {
	key, wrong := testPair(f)
	if len(allowedCases) == 0 {
		f.Fatal("no seeds")
	}
	for _, c := range allowedCases {
		f.Add(c.lines, c.as, c.ns)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		berlin = time.UTC
	}
	f.Fuzz(func(t *testing.T, file, principal, ns string) {
		c := allowedCase{lines: file, as: principal, ns: ns}.fill(key, wrong) // the keys of this process
		file, principal, ns = c.lines, c.as, c.ns
		at := time.Unix(500000000, 0)
		allowed, notes := sshsig.ParseAllowedSigners("f", []byte(file), berlin)
		last := -1
		for _, n := range notes {
			if n.Line < last || n.Reason == "" {
				t.Fatalf("notes %v", notes)
			}
			last = n.Line
		}
		// A second copy of the file changes nothing but the notes.
		twice, again := sshsig.ParseAllowedSigners("f", []byte(file+"\n"+file), berlin)
		if len(file) < sshsig.MaxAllowedSigners/2 && len(again) != 2*len(notes) {
			t.Fatalf("%d notes, twice the file %d", len(notes), len(again))
		}
		for _, k := range []sshsig.Key{key, wrong} {
			err := allowed.Allowed(k, principal, sshsig.Namespace(ns), at)
			if err != nil {
				if !isOnly(err, sshsig.ErrNotAllowed) {
					t.Fatal(err)
				}
				continue
			}
			if _, text, _ := strings.Cut(k.String(), " "); !strings.Contains(file, text) {
				t.Fatalf("%s is allowed and not in the file", k)
			}
			if allowed.Principals(k, at) == nil || allowed.MatchPrincipals(principal) == nil {
				t.Fatalf("%q is allowed and has no principals", principal)
			}
			if err := twice.Allowed(k, principal, sshsig.Namespace(ns), at); err != nil {
				t.Fatal(err)
			}
		}
	})
}
