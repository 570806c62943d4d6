package signature_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/signature"
	"github.com/distributed-trust/distrust/schema"
)

// The seeds in testdata/seeds are files that the programs themselves made over the message in
// testdata/seeds/message; the keys lie beside them.
const seeds = "testdata/seeds"

// addSeeds hands every seed to a fuzz target, which is of no use without any.
func addSeeds(f *testing.F, add func([]byte)) {
	f.Helper()
	names, err := filepath.Glob(seeds + "/*")
	if err != nil || len(names) < 10 {
		f.Fatalf("%d seeds, %v", len(names), err)
	}
	for _, name := range names {
		add(read(f, name))
	}
}

// seedKeys are the keys of the seeds.
func seedKeys(t testing.TB) *signature.Keys {
	t.Helper()
	return keysOf(t, read(t, seeds+"/openpgp.cert"), read(t, seeds+"/openpgp-rsa.cert"), read(t, seeds+"/openpgp-p256.cert"), read(t, seeds+"/minisign.pub"), read(t, seeds+"/signify.pub"))
}

var seedTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// TestSeeds: the seeds are what they are meant to be, so that fuzzing starts from signatures that hold.
func TestSeeds(t *testing.T) {
	t.Parallel()
	signed := read(t, seeds+"/message")
	for _, name := range []string{"ssh.sig", "openpgp.asc", "openpgp.sig", "openpgp-rsa.sig", "openpgp-p256.sig", "minisign.minisig", "minisign-legacy.minisig", "signify.sig"} {
		got := parse(t, read(t, seeds+"/"+name)).Verify(signed, seedKeys(t), "message", seedTime)
		if len(got) != 1 || got[0].State != signature.Good {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, name := range []string{"list-clear.asc", "list-signify.sig"} {
		list := parseList(t, read(t, seeds+"/"+name))
		got := verified(list, list.Signature(), seedKeys(t), "message", digestOf(signed), seedTime)
		if len(got) != 1 || got[0].State != signature.Good {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// FuzzSignature: no signature file makes other bytes good, and none is good without a key that was
// handed in (SSHSIG aside, which holds its key).
func FuzzSignature(f *testing.F) {
	addSeeds(f, func(b []byte) { f.Add(b) })
	keys, signed := seedKeys(f), read(f, seeds+"/message")
	f.Fuzz(func(t *testing.T, file []byte) {
		sig, err := signature.Parse(file)
		if err != nil {
			return
		}
		for _, r := range sig.Verify([]byte("these were never signed"), keys, "message", seedTime) {
			if r.State == signature.Good {
				t.Errorf("other bytes: %+v", r)
			}
		}
		for _, r := range sig.Verify(signed, &signature.Keys{}, "message", seedTime) {
			if r.State == signature.Good && r.Format != signature.SSH {
				t.Errorf("without keys: %+v", r)
			}
		}
		results := sig.Verify(signed, keys, "message", seedTime)
		if len(results) == 0 {
			t.Error("no result")
		}
		for _, r := range results {
			if (r.State == signature.Good) != (r.Detail == "") || r.Signer != "" && schema.ValidSigner(r.Signer) != nil {
				t.Errorf("%+v", r)
			}
		}
	})
}

// FuzzRawSignature changes a minisign or signify signature of a key that is known here: whatever is
// good is so by ed25519 over the bytes, and says the comment that was signed.
func FuzzRawSignature(f *testing.F) {
	public, private, err := ed25519.GenerateKey(bytes.NewReader(make([]byte, 32)))
	if err != nil {
		f.Fatal(err)
	}
	number := "12345678"
	line := func(algorithm string, b []byte) string {
		return base64.StdEncoding.EncodeToString(append([]byte(algorithm+number), b...))
	}
	keys := &signature.Keys{}
	for _, format := range []string{"minisign", "signify"} {
		if err := keys.AddSigner(format+":"+line("Ed", public), ""); err != nil {
			f.Fatal(err)
		}
	}
	sig := ed25519.Sign(private, message)
	global := func(comment string) string {
		return base64.StdEncoding.EncodeToString(ed25519.Sign(private, append(bytes.Clone(sig), comment...)))
	}
	comment := "timestamp:1795317668\tfile:run.sh"
	f.Add("untrusted comment: x\n" + line("Ed", sig) + "\n")
	f.Add("untrusted comment: x\n" + line("Ed", sig) + "\ntrusted comment: " + comment + "\n" + global(comment) + "\n")
	f.Add("untrusted comment: x\r\n" + line("Ed", sig) + "\r\ntrusted comment: \r\n" + global("") + "\r\n")
	f.Fuzz(func(t *testing.T, file string) {
		read, err := signature.Parse([]byte(file))
		if err != nil {
			return
		}
		for _, r := range read.Verify(message, keys, "run.sh", seedTime) {
			if r.State != signature.Good {
				continue
			}
			if !strings.Contains(file, line("Ed", sig)) || r.Comment != "" && r.Comment != comment {
				t.Errorf("%q: %+v", file, r)
			}
		}
	})
}

// FuzzList: what is read is relative, stays in its folder, has one digest of a kind for each path and
// is the same when it is written out and read again.
func FuzzList(f *testing.F) {
	addSeeds(f, func(b []byte) { f.Add(b) })
	f.Add([]byte(sumA + "  a\nSHA256 (x/b) = " + sumB + "\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		list, err := signature.ParseList(file)
		if err != nil {
			return
		}
		var out strings.Builder
		seen := map[string]bool{}
		for _, e := range list.Entries() {
			if seen[e.Path] || path.IsAbs(e.Path) || path.Clean(e.Path) != e.Path || e.Path == ".." || strings.HasPrefix(e.Path, "../") {
				t.Errorf("path %q", e.Path)
			}
			seen[e.Path] = true
			for _, sum := range []string{e.Digest.SHA256, e.Digest.SHA512} {
				if sum != "" {
					fmt.Fprintf(&out, "%s  %s\n", sum, e.Path)
				}
			}
			if found, ok := list.Find(path.Base(e.Path)); ok && path.Base(found.Path) != path.Base(e.Path) {
				t.Errorf("%q is found as %q", found.Path, e.Path)
			}
		}
		if len(list.Entries()) == 0 {
			return
		}
		again, err := signature.ParseList([]byte(out.String()))
		if err != nil || fmt.Sprint(again.Entries()) != fmt.Sprint(list.Entries()) {
			t.Errorf("%q: %v", out.String(), err)
		}
	})
}

// FuzzCleartext: with the signature of the seed, no other text is good for a digest of its own.
func FuzzCleartext(f *testing.F) {
	seed := read(f, seeds+"/list-clear.asc")
	f.Add(seed)
	f.Add(bytes.ReplaceAll(seed, []byte("\n"), []byte("\r\n")))
	f.Add(bytes.Replace(seed, []byte("\n\n"), []byte("\nHash: SHA256\n\n- "), 1))
	keys := seedKeys(f)
	listed := parseList(f, seed).Entries()
	f.Fuzz(func(t *testing.T, file []byte) {
		list, err := signature.ParseList(file)
		if err != nil || list.Signature() == nil || list.Signature().Format() != signature.OpenPGP {
			return
		}
		for _, e := range list.Entries() {
			for _, r := range verified(list, list.Signature(), keys, path.Base(e.Path), e.Digest, seedTime) {
				if r.State == signature.Good && fmt.Sprint(list.Entries()) != fmt.Sprint(listed) {
					t.Errorf("%q", file)
				}
			}
		}
	})
}

// FuzzKeys: whatever is read as keys, every one has an identity of F2 and no signature of the seeds
// becomes good by anybody but its signer.
func FuzzKeys(f *testing.F) {
	addSeeds(f, func(b []byte) { f.Add(b) })
	owners := strings.Join(seedKeys(f).Signers(), "\n")
	sigs := [][]byte{read(f, seeds+"/openpgp.sig"), read(f, seeds+"/openpgp-rsa.sig"), read(f, seeds+"/openpgp-p256.sig"), read(f, seeds+"/minisign.minisig"), read(f, seeds+"/signify.sig")}
	signed := read(f, seeds+"/message")
	f.Fuzz(func(t *testing.T, file []byte) {
		keys := &signature.Keys{}
		if keys.Add(file) != nil {
			if len(keys.Signers()) != 0 {
				t.Error("refused and added")
			}
			return
		}
		for _, signer := range keys.Signers() {
			if err := schema.ValidSigner(signer); err != nil {
				t.Error(err)
			}
		}
		for _, sig := range sigs {
			for _, r := range parse(t, sig).Verify(signed, keys, "message", seedTime) {
				if r.State == signature.Good && !strings.Contains(owners, r.Signer) {
					t.Errorf("%+v", r)
				}
			}
		}
	})
}

// TestMakeSeeds makes the seeds anew when asked to: MAKE_SEEDS=1 go test -run TestMakeSeeds.
func TestMakeSeeds(t *testing.T) {
	if os.Getenv("MAKE_SEEDS") == "" {
		t.Skip("only by hand")
	}
	put := func(name string, b []byte) {
		t.Helper()
		if err := os.MkdirAll(seeds, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(seeds, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	digest := digestOf(message)
	list := []byte(digest.SHA256 + "  message\n" + digestOf(nil).SHA512 + " *dist/- empty\n")
	put("message", message)
	put("list-gnu", list)
	put("list-bsd", []byte("# two files\nSHA256 (message) = "+digest.SHA256+"\nSHA512 (empty) = "+digestOf(nil).SHA512+"\n"))
	sig, _ := sshSigned(t, "ed25519", "file", message)
	put("ssh.sig", sig)
	g := newGPG(t)
	by := g.key("Seed <seed@example.org>", "ed25519", "cert", "never", "--faked-system-time", then)
	g.run("--faked-system-time", then, "--quick-add-key", by, "ed25519", "sign", "never")
	put("openpgp.cert", g.export(by))
	put("openpgp-armored.cert", []byte(g.run("--armor", "--export", by)))
	put("openpgp.sig", g.sign(by, message, "--faked-system-time", year))
	put("openpgp.asc", g.sign(by, message, "--faked-system-time", year, "--armor"))
	for name, algorithm := range map[string]string{"rsa": "rsa2048", "p256": "nistp256"} {
		by := g.key(name, algorithm, "sign", "never", "--faked-system-time", then)
		put("openpgp-"+name+".cert", g.export(by))
		put("openpgp-"+name+".sig", g.sign(by, message, "--faked-system-time", year))
	}
	put("list-clear.asc", g.sign(by, list, "--faked-system-time", year, "--clearsign"))
	dir := minisign(t)
	put("minisign.pub", read(t, dir+"/pub"))
	put("minisign.minisig", minisigned(t, dir, "message", message, "-H"))
	put("minisign-legacy.minisig", minisigned(t, dir, "message", message, "-l"))
	dir = signify(t)
	put("signify.pub", read(t, dir+"/key.pub"))
	put("signify.sig", signified(t, dir, message))
	put("list-signify.sig", signified(t, dir, list, "-e"))
}
