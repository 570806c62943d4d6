package signature_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/records/signature"
	"github.com/distributed-trust/distrust/schema"
)

func digestOf(b []byte) schema.Digest {
	short, long := sha256.Sum256(b), sha512.Sum512(b)
	return schema.Digest{SHA256: hex.EncodeToString(short[:]), SHA512: hex.EncodeToString(long[:])}
}

func parseList(t testing.TB, b []byte) *signature.List {
	t.Helper()
	list, err := signature.ParseList(b)
	if err != nil {
		t.Fatalf("%q: %v", b, err)
	}
	return list
}

// TestStockLists reads what the programs of coreutils write.
func TestStockLists(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "sha256sum", "sha512sum")
	dir := t.TempDir()
	for _, name := range []string{"run.sh", "with blank", "b) = c"} {
		if err := os.WriteFile(filepath.Join(dir, name), message, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := digestOf(message)
	for _, args := range [][]string{{"sha256sum"}, {"sha256sum", "-b"}, {"sha256sum", "--tag"}, {"sha512sum"}, {"sha512sum", "--tag"}} {
		out, err := testkit.Run(t, dir, nil, args[0], append(args[1:], "run.sh", "with blank", "b) = c", "./run.sh")...)
		if err != nil {
			t.Fatal(out)
		}
		list := parseList(t, []byte(out+"\n"))
		if n := len(list.Entries()); n != 3 {
			t.Errorf("%q: %d entries", args, n)
		}
		for _, name := range []string{"run.sh", "with blank", "b) = c"} {
			e, ok := list.Find(name)
			if !ok || e.Path != name || e.Digest.SHA256 != "" && e.Digest.SHA256 != want.SHA256 || e.Digest.SHA512 != "" && e.Digest.SHA512 != want.SHA512 || e.Digest == (schema.Digest{}) {
				t.Errorf("%q: %q: %+v, %v", args, name, e, ok)
			}
		}
	}
}

const (
	sumA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	sumB = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
)

func TestLists(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, list string
		find       string
		want       string // path of the entry, or what the error says after a "!"; "" when not found
	}{
		{"text", sumA + "  a\n", "a", "a"},
		{"binary", sumA + " *a\n", "a", "a"},
		{"bsd", "SHA256 (a) = " + sumA + "\n", "a", "a"},
		{"upper case, crlf, no last end", "# made by a\r\n\r\n" + strings.ToUpper(sumA) + "  a\r\n" + sumB + "  b", "b", "b"},
		{"comment of Fedora", "# a: 1 bytes\nSHA256 (a) = " + sumA + "\n", "a", "a"},
		{"both styles", sumA + "  a\nSHA256 (b) = " + sumB + "\n", "b", "b"},
		{"twice the same", sumA + "  a\n" + sumA + " *./a\n", "a", "a"},
		{"in a folder", sumA + "  dist/a\n", "a", "dist/a"},
		{"in two folders, the same", sumA + "  x/a\n" + sumA + "  y/a\n", "a", "x/a"},
		{"in two folders, not the same", sumA + "  x/a\n" + sumB + "  y/a\n", "a", ""},
		{"in a folder and not", sumB + "  x/a\n" + sumA + "  a\n", "a", "a"},
		{"not listed", sumA + "  a\n", "b", ""},
		{"no name asked for", sumA + "  a\n", "", ""},

		{"two digests", sumA + "  a\n" + sumB + "  a\n", "", "!line 2: \"a\" has two digests"},
		{"two digests by spelling", sumA + "  a\n" + sumB + "  ./a\n", "", "!line 2: \"a\" has two digests"},
		{"absolute", sumA + "  /etc/passwd\n", "", "!line 1: the path \"/etc/passwd\" is absolute"},
		{"absolute after ./", sumA + "  .//etc/passwd\n", "", "!is absolute"},
		{"absolute on Windows", sumA + "  C:\\a\n", "", "!is absolute"},
		{"leaves the folder", sumA + "  ../a\n", "", "!leaves the folder"},
		{"leaves it later", "SHA256 (x/../../a) = " + sumA + "\n", "", "!leaves the folder"},
		{"leaves it on Windows", sumA + "  x\\..\\a\n", "", "!leaves the folder"},
		{"two spellings", sumA + "  x//a\n", "", "!more than one spelling"},
		{"the folder", sumA + "  ./\n", "", "!no name"},
		{"no name", sumA + "  \n", "", "!no name"},
		{"garbage behind", sumA + "  a\nall good!\n", "", "!line 2: not a SHA-256"},
		{"garbage in between", sumA + "  a\n<html>\n" + sumB + "  b\n", "", "!line 2: not a SHA-256"},
		{"sha-1 in between", sumA + "  a\nda39a3ee5e6b4b0d3255bfef95601890afd80709  b\n", "", "!line 2: not a SHA-256"},
		{"wrong length for its name", sumA + "  a\nSHA512 (b) = " + sumB + "\n", "", "!line 2: not a SHA-256"},
		{"escaped by GNU", "\\" + sumA + "  a\\nb\n", "", "!neither a signature nor a checksum list of a known format"},
		{"one blank", sumA + " a\n", "", "!neither a signature nor a checksum list of a known format"},
		{"html", "<html>404</html>\n", "", "!neither a signature nor a checksum list of a known format"},
		{"empty", "", "", "!neither a signature nor a checksum list of a known format"},
		{"comments only", "# nothing\n", "", "!neither a signature nor a checksum list of a known format"},
		{"control character", sumA + "  a\x00b\n", "", "!control character"},
		{"too large", strings.Repeat("#", signature.MaxList+1), "", "!longer than 16777216 bytes"},
	} {
		list, err := signature.ParseList([]byte(c.list))
		if want, bad := strings.CutPrefix(c.want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", c.name, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		e, ok := list.Find(c.find)
		if ok != (c.want != "") || e.Path != c.want || ok && c.find == "a" && e.Digest.SHA256 != sumA {
			t.Errorf("%s: %+v, %v, want %q", c.name, e, ok, c.want)
		}
	}
	var refused *signature.ListError
	if _, err := signature.ParseList([]byte(sumA + "  /a\n")); !errors.As(err, &refused) || refused.Line != 1 {
		t.Errorf("not a ListError with its line: %v", err)
	}
	var large *signature.TooLargeError
	if _, err := signature.ParseList(make([]byte, signature.MaxList+1)); !errors.As(err, &large) || large.Max != signature.MaxList {
		t.Errorf("not a TooLargeError: %v", err)
	}
}

// TestSignedLists: file, list, signature, with every kind of signature over the list.
func TestSignedLists(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "ssh-keygen", "gpg", "minisign", "signify-openbsd")
	digest := digestOf(message)
	other := digestOf([]byte("other"))
	list := []byte(digest.SHA256 + "  run.sh\n" + other.SHA256 + "  - dashed\n" + digest.SHA512 + "  long\n")

	g := newGPG(t)
	by := g.key("Ed <ed@example.org>", "ed25519", "sign", "never")
	mini, open := minisign(t), signify(t)
	sshSig, sshSigner := sshSigned(t, "ed25519", "file", list)
	keys := keysOf(t, g.export(by), read(t, mini+"/pub"), read(t, open+"/key.pub"))
	gpgSigner := "openpgp:" + by
	for _, c := range []struct {
		name      string
		list, sig []byte // no sig: it lies in the list
		signer    string
	}{
		{"ssh", list, sshSig, sshSigner},
		{"gpg detached", list, g.sign(by, list), gpgSigner},
		{"gpg text mode", list, g.sign(by, list, "--textmode", "--armor"), gpgSigner},
		{"gpg cleartext", g.sign(by, list, "--clearsign"), nil, gpgSigner},
		{"gpg cleartext, crlf", bytes.ReplaceAll(g.sign(by, list, "--clearsign"), []byte("\n"), []byte("\r\n")), nil, gpgSigner},
		{"minisign", list, minisigned(t, mini, "SHA256SUMS", list, "-H"), rawSigner(t, "minisign", mini+"/pub")},
		{"signify", list, signified(t, open, list), rawSigner(t, "signify", open+"/key.pub")},
		{"signify embedded", signified(t, open, list, "-e"), nil, rawSigner(t, "signify", open+"/key.pub")},
	} {
		parsed := parseList(t, c.list)
		sig := parsed.Signature()
		if (sig == nil) != (c.sig != nil) {
			t.Errorf("%s: signature within: %v", c.name, sig)
			continue
		}
		if c.sig != nil {
			sig = parse(t, c.sig)
		}
		if n := len(parsed.Entries()); n != 3 {
			t.Errorf("%s: %d entries", c.name, n)
		}
		for _, f := range []struct {
			name   string
			digest schema.Digest
			keys   *signature.Keys
			want   signature.State // "" when the list says nothing
		}{
			{"run.sh", digest, keys, signature.Good},
			{"- dashed", other, keys, signature.Good},
			{"long", digest, keys, signature.Good},
			{"long", schema.Digest{SHA256: digest.SHA256}, keys, signature.Bad}, // the digest that counts was not computed
			{"run.sh", other, keys, signature.Bad},
			{"unlisted", digest, keys, ""},
			{"run.sh", digest, &signature.Keys{}, signature.NoKey},
			{"run.sh", other, &signature.Keys{}, signature.NoKey},
		} {
			got := verified(parsed, sig, f.keys, f.name, f.digest, time.Now())
			if f.want == "" {
				if got != nil {
					t.Errorf("%s: %s: %+v", c.name, f.name, got)
				}
				continue
			}
			if f.want == signature.NoKey && c.signer == sshSigner {
				continue
			}
			if len(got) != 1 || got[0].State != f.want || f.want == signature.Good && got[0].Signer != c.signer {
				t.Errorf("%s: %s: %+v, want %s by %s", c.name, f.name, got, f.want, c.signer)
			}
		}
		// One digit of the list changed.
		for _, sum := range []string{digest.SHA256, digest.SHA512} {
			digits := []byte(sum)
			digits[0] = "10"[digits[0]&1]
			changed, err := signature.ParseList(bytes.Replace(c.list, []byte(sum), digits, 1))
			if err != nil {
				t.Fatal(err)
			}
			use := sig
			if c.sig == nil {
				use = changed.Signature()
			}
			if got := verified(changed, use, keys, "run.sh", digest, time.Now()); len(got) != 1 || got[0].State != signature.Bad {
				t.Errorf("%s: changed: %+v", c.name, got)
			}
		}
	}
	if got := verified(parseList(t, list), nil, keys, "run.sh", digest, time.Now()); got != nil {
		t.Errorf("no signature: %+v", got)
	}
}

// TestCleartext: what lies around a cleartext signature, or is hidden in it, was not signed.
func TestCleartext(t *testing.T) {
	t.Parallel()
	g := newGPG(t)
	by := g.key("Ed <ed@example.org>", "ed25519", "sign", "never")
	good := string(g.sign(by, []byte(sumA+"  a\n"), "--clearsign"))
	evil := sumB + "  b\n"
	head, body, _ := strings.Cut(good, "\n\n")
	for name, text := range map[string]string{
		"in front":             evil + good,
		"behind":               good + evil,
		"behind, after blanks": good + "\n\n" + evil,
		"as a header":          head + "\n" + evil + "\n" + body,
		"as a header's value":  head + "\nComment: " + evil + "\n" + body,
		"not escaped":          strings.Replace(good, sumA, "-----BEGIN X-----\n"+sumA, 1),
		"another one behind":   good + good,
		"cut in the text":      good[:strings.Index(good, sumA)+20],
		"cut in the signature": good[:len(good)-30],
		"no signature":         head + "\n\n" + evil,
		"begin line":           strings.Replace(good, "MESSAGE-----", "MESSAGE----- "+evil, 1),
		"carriage return":      strings.Replace(good, sumA, "x\r"+sumA, 1),
	} {
		list, err := signature.ParseList([]byte(text))
		if err != nil {
			continue
		}
		if _, ok := list.Find("b"); ok {
			t.Errorf("%s: what nobody signed is read", name)
		}
		got := verified(list, list.Signature(), keysOf(t, g.export(by)), "a", schema.Digest{SHA256: sumA}, time.Now())
		if len(got) != 1 || got[0].State != signature.Bad {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// A binary signature over the very bytes of the text is one of another purpose there.
	binary := g.sign(by, []byte(sumA+"  a"))
	swapped := good[:strings.Index(good, "-----BEGIN PGP SIGNATURE")] + string(armored("PGP SIGNATURE", binary))
	list := parseList(t, []byte(swapped))
	got := verified(list, list.Signature(), keysOf(t, g.export(by)), "a", schema.Digest{SHA256: sumA}, time.Now())
	if len(got) != 1 || got[0].State != signature.WrongPurpose {
		t.Errorf("binary signature in a cleartext one: %+v", got)
	}
	// And a cleartext signature is no detached one.
	if _, err := signature.Parse([]byte(good)); !errors.Is(err, signature.ErrUnknownFormat) {
		t.Errorf("as a detached signature: %v", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	if got := strings.Join(signature.Names("a.tgz"), " "); got != "a.tgz.asc a.tgz.sig a.tgz.minisig a.tgz.sign" {
		t.Error(got)
	}
	lists := strings.Join(signature.ListNames(), " ")
	for _, want := range []string{"SHA256SUMS", "SHA256SUMS.asc", "SHA512SUMS", "checksums.txt", "SHA256.sig"} {
		if !strings.Contains(" "+lists+" ", " "+want+" ") {
			t.Errorf("%s is not in %s", want, lists)
		}
	}
	if got := strings.Join(signature.ListSignatureNames("SHA256SUMS"), " "); got != "SHA256SUMS.asc SHA256SUMS.sig SHA256SUMS.gpg SHA256SUMS.sign SHA256SUMS.minisig" {
		t.Error(got)
	}
}

// verified is what a signature over a list says about one file.
func verified(l *signature.List, sig *signature.Signature, keys *signature.Keys, name string, digest schema.Digest, now time.Time) []signature.Result {
	return l.Means(l.Verify(sig, keys, now), name, digest)
}
