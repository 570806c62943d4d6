package signature_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/records/signature"
	"github.com/distributed-trust/distrust/schema"
)

var message = []byte("#!/bin/sh\necho hi\n")

// made is a signature over message by a stock program.
type made struct {
	name   string
	format signature.Format
	sig    []byte
	keys   []byte // nil when the signature holds its key
	signer string
	agrees func(sig, message []byte) bool // what the program itself says
}

// stock makes one signature of every kind with the programs themselves.
func stock(t *testing.T) []made {
	t.Helper()
	var all []made
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		sig, signer := sshSigned(t, kind, "file", message)
		all = append(all, made{name: "ssh " + kind, format: signature.SSH, sig: sig, signer: signer, agrees: func(sig, message []byte) bool {
			_, err := testkit.Run(t, "", message, "ssh-keygen", "-Y", "check-novalidate", "-n", "file", "-s", write(t, "sig", sig))
			return err == nil
		}})
	}

	g := newGPG(t)
	openpgp := func(name, fingerprint string, options ...string) {
		all = append(all, made{
			name: "gpg " + name, format: signature.OpenPGP, sig: g.sign(fingerprint, message, options...), keys: g.export(fingerprint),
			signer: "openpgp:" + fingerprint, agrees: func(sig, message []byte) bool { ok, _ := g.accepts(sig, message); return ok },
		})
	}
	ed := g.key("Ed <ed@example.org>", "ed25519", "sign", "never")
	openpgp("binary", ed)
	openpgp("armored", ed, "--armor")
	openpgp("sha512", ed, "--digest-algo", "SHA512")
	openpgp("rsa", g.key("Rob <rob@example.org>", "rsa2048", "sign", "1y"))
	openpgp("p256", g.key("Pat <pat@example.org>", "nistp256", "sign", "1y"))
	sub := g.key("Sue <sue@example.org>", "ed25519", "cert", "never")
	g.run("--quick-add-key", sub, "ed25519", "sign", "1y")
	openpgp("subkey", sub, "--armor")

	dir := minisign(t)
	for name, options := range map[string][]string{"minisign hashed": {"-H"}, "minisign legacy": {"-l"}, "minisign comment": {"-H", "-t", "version 2"}} {
		all = append(all, made{
			name: name, format: signature.Minisign, sig: minisigned(t, dir, "run.sh", message, options...), keys: read(t, dir+"/pub"),
			signer: rawSigner(t, "minisign", dir+"/pub"), agrees: func(sig, message []byte) bool {
				_, err := testkit.Run(t, "", nil, "minisign", "-V", "-p", dir+"/pub", "-m", write(t, "run.sh", message), "-x", write(t, "sig", sig))
				return err == nil
			},
		})
	}
	open := signify(t)
	return append(all, made{
		name: "signify", format: signature.Signify, sig: signified(t, open, message), keys: read(t, open+"/key.pub"),
		signer: rawSigner(t, "signify", open+"/key.pub"), agrees: func(sig, message []byte) bool {
			_, err := testkit.Run(t, "", nil, "signify-openbsd", "-V", "-p", open+"/key.pub", "-m", write(t, "message", message), "-x", write(t, "sig", sig))
			return err == nil
		},
	})
}

// TestStockSignatures: what the programs of each format sign is good here with the right signer, and
// whatever is good here, after any change, is good for the program.
func TestStockSignatures(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "ssh-keygen", "gpg", "minisign", "signify-openbsd")
	for _, m := range stock(t) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			keys := &signature.Keys{}
			if m.keys != nil {
				if err := keys.Add(m.keys); err != nil {
					t.Fatal(err)
				}
				if got := keys.Signers(); len(got) != 1 || got[0] != m.signer {
					t.Errorf("signers %q, want %q", got, m.signer)
				}
			}
			if err := schema.ValidSigner(m.signer); err != nil {
				t.Error(err)
			}
			check := func(sig, message []byte, keys *signature.Keys, name string) signature.Result {
				t.Helper()
				r := parse(t, sig).Verify(message, keys, name, time.Now())
				if len(r) != 1 || r[0].Format != m.format && r[0].State != signature.Bad {
					t.Fatalf("results %+v", r)
				}
				if (r[0].State == signature.Good) != (r[0].Detail == "") {
					t.Errorf("state and detail: %+v", r[0])
				}
				return r[0]
			}
			if r := check(m.sig, message, keys, "run.sh"); r.State != signature.Good || r.Signer != m.signer || !m.agrees(m.sig, message) {
				t.Errorf("%+v, want good by %s", r, m.signer)
			}
			if r := check(m.sig, append([]byte("x"), message...), keys, "run.sh"); r.State != signature.Bad || r.Signer != "" {
				t.Errorf("other bytes: %+v", r)
			}
			if r := check(m.sig, nil, keys, "run.sh"); r.State != signature.Bad {
				t.Errorf("no bytes: %+v", r)
			}
			if names := parse(t, m.sig).KeyNames(); len(names) != 1 || names[0] == "" {
				t.Errorf("key names %q", names)
			}
			if claims := parse(t, m.sig).Claims(keys); len(claims) != 1 || claims[0] != m.signer {
				t.Errorf("claims %q", claims)
			}
			if m.keys != nil {
				r := check(m.sig, message, &signature.Keys{}, "run.sh")
				if r.State != signature.NoKey || r.Signer != "" || !strings.Contains(r.Detail, parse(t, m.sig).KeyNames()[0]) {
					t.Errorf("without keys: %+v", r)
				}
			}
			damage(t, m, keys)
		})
	}
}

// TestKeyNumbers: a key number is written as minisign writes it, those with leading zeroes too.
func TestKeyNumbers(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "minisign")
	dir := minisign(t)
	lines := strings.SplitAfter(string(minisigned(t, dir, "run.sh", message)), "\n")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(lines[1]))
	if err != nil {
		t.Fatal(err)
	}
	const first, length = 2, 8 // bytes of the number, the least one first
	for zeroes := range length + 1 {
		number := bytes.Repeat([]byte{0x5a}, length)
		clear(number[length-zeroes:])
		copy(raw[first:], number)
		lines[1] = base64.StdEncoding.EncodeToString(raw) + "\n"
		sig := []byte(strings.Join(lines, ""))
		said, err := testkit.Run(t, "", nil, "minisign", "-V", "-p", dir+"/pub", "-m", write(t, "run.sh", message), "-x", write(t, "sig", sig))
		if err == nil {
			t.Fatalf("minisign took a signature with another key number: %s", said)
		}
		if names := parse(t, sig).KeyNames(); len(names) != 1 || !strings.Contains(said, " is "+names[0]+"\n") {
			t.Errorf("key number %q, the tool says %q", names, said)
		}
	}
}

// damage changes a signature in many places: never good, unless the program says so too.
func damage(t *testing.T, m made, keys *signature.Keys) {
	t.Helper()
	asked := 0
	for i := range m.sig {
		for _, bit := range []byte{1, 0x20} {
			changed := bytes.Clone(m.sig)
			changed[i] ^= bit
			sig, err := signature.Parse(changed)
			if err != nil {
				continue
			}
			for _, r := range sig.Verify(message, keys, "run.sh", time.Now()) {
				// Comments, and bytes of OpenPGP that nothing signs, may change; asking costs a process.
				if r.State == signature.Good && asked < 6 {
					asked++
					if !m.agrees(changed, message) {
						t.Errorf("byte %d changed: good here, refused by the program", i)
					}
				}
				if r.State == signature.Good && r.Signer != m.signer {
					t.Errorf("byte %d changed: signer %s", i, r.Signer)
				}
			}
		}
	}
	for n := range len(m.sig) - 1 {
		sig, err := signature.Parse(m.sig[:n])
		if err != nil {
			continue
		}
		for _, r := range sig.Verify(message, keys, "run.sh", time.Now()) {
			if r.State == signature.Good && strings.TrimSpace(string(m.sig[n:])) != "" {
				t.Errorf("the first %d of %d bytes are good", n, len(m.sig))
			}
		}
	}
}

// TestOnePass feeds several checks from the writes of one pass, in memory that does not grow with the
// file.
func TestOnePass(t *testing.T) { // alone: what is allocated is counted
	testkit.Need(t, "ssh-keygen", "gpg", "minisign")
	const blocks = 24
	block := bytes.Repeat([]byte("distrust"), 1<<17)
	whole := bytes.Repeat(block, blocks)
	g := newGPG(t)
	by := g.key("Ed <ed@example.org>", "ed25519", "sign", "never")
	dir := minisign(t)
	sshSig, sshSigner := sshSigned(t, "ed25519", "file", whole)
	sigs := [][]byte{g.sign(by, whole), sshSig, minisigned(t, dir, "big", whole, "-H")}
	want := []string{"openpgp:" + by, sshSigner, rawSigner(t, "minisign", dir+"/pub")}
	keys := keysOf(t, g.export(by), read(t, dir+"/pub"))

	var checks []*signature.Check
	for _, sig := range sigs {
		checks = append(checks, parse(t, sig).Check(keys, "big", time.Now()))
	}
	perRun := testing.AllocsPerRun(1, func() {
		for range blocks / 2 { // AllocsPerRun calls it twice
			for _, c := range checks {
				if n, err := c.Write(block); n != len(block) || err != nil {
					t.Errorf("%d, %v", n, err)
				}
			}
		}
	})
	if perRun > 2000 {
		t.Errorf("%v allocations for %d blocks", perRun, blocks/2)
	}
	for i, c := range checks {
		if r := c.Results(); len(r) != 1 || r[0].State != signature.Good || r[0].Signer != want[i] {
			t.Errorf("%d: %+v, want %s", i, r, want[i])
		}
	}
}
