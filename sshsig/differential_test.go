package sshsig_test

import (
	"encoding/pem"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/sshsig"
)

// one draws one of several.
func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// drawnArmor is a specimen with a few changes; many keep it good.
func drawnArmor(r *rand.Rand, from []specimen) []byte {
	b := slices.Clone(one(r, from...).armored)
	for range r.IntN(4) {
		at := r.IntN(len(b) + 1)
		switch r.IntN(8) {
		case 0, 1, 2:
			if block, _ := pem.Decode(b); block != nil && len(block.Bytes) > 0 {
				b = wrap(block.Bytes, 1+r.IntN(200))
			}
		case 3:
			if block, _ := pem.Decode(b); block != nil && len(block.Bytes) > 0 {
				block.Bytes[r.IntN(len(block.Bytes))] ^= 1 << r.IntN(8)
				b = wrap(block.Bytes, 70)
			}
		case 4, 5:
			b = append(b, one(r, "\n", " ", "\t", "\r\n", "\x00", "x\n", begin)...)
		case 6:
			b = slices.Insert(b, at, []byte(one(r, "\n", " ", "=", "A", "\r", "Comment: x\n\n", "-----"))...)
		case 7:
			b = slices.Delete(b, at, min(at+1+r.IntN(3), len(b)))
		}
	}
	return b
}

// Whatever is verified here, ssh-keygen -Y check-novalidate verifies, too (S5).
func TestVerifiedIsVerifiedByOpenSSH(t *testing.T) {
	t.Parallel()
	s, r, from := newStock(t), rand.New(rand.NewPCG(3, 7)), specimens(t)
	good := 0
	for range 400 {
		if checkArmor(s, drawnArmor(r, from)) {
			good++
		}
	}
	if good < 50 {
		t.Errorf("only %d of the drawn signatures are good: this shows nothing", good)
	}
}

// FuzzVerifiedIsVerifiedByOpenSSH asks the same about any bytes.
func FuzzVerifiedIsVerifiedByOpenSSH(f *testing.F) {
	for _, s := range specimens(f) {
		f.Add(s.armored)
	}
	f.Fuzz(func(t *testing.T, armored []byte) { checkArmor(newStock(t), armored) })
}

// checkArmor says whether a signature is verified; ssh-keygen has to do so then.
func checkArmor(s stock, armored []byte) bool {
	s.t.Helper()
	_, err := sshsig.Verify([]byte(forgedMessage), armored, sshsig.NamespaceRecord)
	if err == nil && !s.accepts([]byte(forgedMessage), armored, sshsig.NamespaceRecord) {
		s.t.Errorf("verified here, and not by ssh-keygen:\n%q", armored)
	}
	return err == nil
}

// drawnAllowed is a file of a few lines as people write them, and at times not quite.
func drawnAllowed(r *rand.Rand) allowedCase {
	list := func(of ...string) string {
		words := []string{one(r, of...)}
		for r.IntN(2) == 0 {
			words = append(words, one(r, of...))
		}
		return strings.Join(words, ",")
	}
	var b strings.Builder
	for range 1 + r.IntN(3) {
		principals := list("user-1@example.com", "*@example.com", "*", "user-?@*", "josef.k@example.com", "!josef.k@example.com", "!user-1@*", "")
		if r.IntN(6) == 0 {
			principals = `"` + principals + one(r, "", ",a b", " ") + `"`
		}
		b.WriteString(one(r, "", "", "", " ", "\t", "#", "\ufeff") + principals + one(r, " ", " ", "\t", "  "))
		if r.IntN(2) == 0 {
			b.WriteString(list(`namespaces="test-1"`, `namespaces="`+list("test-*", "*", "!test-1", "file", "", "a b")+`"`, `NameSpaces="test-?"`,
				`valid-after="20200101"`, `valid-after="20270101Z"`, `valid-before="203001011200"`, `valid-before="20200101Z"`,
				`valid-after="20261121115959Z"`, `valid-before="20261121120000Z"`, "cert-authority", "octopus", "") + one(r, " ", "\t", "  "))
		}
		b.WriteString(one(r, "KEY", "KEY", "KEY", "KEY", "WRONG", "ssh-ed25519 AAAA") + one(r, "", "", " me", " me and more", "\t") + one(r, "\n", "\n", "\r\n", "\n\n"))
	}
	text := []byte(b.String())
	if r.IntN(3) == 0 {
		at := r.IntN(len(text))
		text = slices.Replace(text, at, at+r.IntN(2), []byte(one(r, "", " ", `"`, ",", "!", "*", "\t", "=", `\`, "\n", "\r", "#"))...)
	}
	return allowedCase{lines: string(text), as: one(r, "", "", "josef.k@example.com", "a b"), ns: one(r, "", "", "file", "a b")}
}

// Of any file, find-principals and verify say what is said here (S5).
func TestAllowedSignersAreOpenSSHs(t *testing.T) {
	t.Parallel()
	s, r := newStock(t), rand.New(rand.NewPCG(5, 11))
	const drawn = 100
	allowed := 0
	for range drawn {
		if checkAllowed(s, drawnAllowed(r)) {
			allowed++
		}
	}
	if allowed < drawn/10 || allowed > drawn*9/10 {
		t.Errorf("%d of %d drawn files allow the key: this shows little", allowed, drawn)
	}
}

// FuzzAllowedSignersAreOpenSSHs asks the same about any file.
func FuzzAllowedSignersAreOpenSSHs(f *testing.F) {
	for _, c := range allowedCases {
		f.Add(c.lines, c.as, c.ns)
	}
	f.Fuzz(func(t *testing.T, lines, as, ns string) {
		if strings.Contains(as+ns, "\x00") {
			return // no argument of a program
		}
		checkAllowed(newStock(t), allowedCase{lines: lines, as: as, ns: ns})
	})
}

// checkAllowed says whether a file allows the key, which ssh-keygen has to say, too. It also
// uses lines with blanks inside their times, which are skipped here with a note.
func checkAllowed(s stock, c allowedCase) bool {
	s.t.Helper()
	key, wrong := testPair(s.t)
	c = c.fill(key, wrong)
	at, err := time.Parse("20060102150405Z", c.at)
	if err != nil {
		s.t.Fatal(err)
	}
	armored, err := sshsig.Sign([]byte("m"), makeTestKeys().ed25519, sshsig.Namespace(c.ns))
	if err != nil {
		s.t.Fatal(err)
	}
	file, sig := s.write("allowed", []byte(c.lines)), s.write("sig", armored)
	utc := []string{"TZ=UTC"}
	allowed, notes := sshsig.ParseAllowedSigners("file", []byte(c.lines), time.UTC)

	ours := allowed.Allowed(key, c.as, sshsig.Namespace(c.ns), at) == nil
	_, theirs := s.run([]byte("m"), utc, "-Y", "verify", "-f", file, "-I", c.as, "-n", c.ns, "-s", sig, "-O", "verify-time="+c.at)
	safer := slices.ContainsFunc(notes, func(n sshsig.Note) bool { return strings.Contains(n.Reason, "is not YYYYMMDD") })
	if ours != theirs && (ours || !safer) {
		s.t.Errorf("allowed here: %v, by ssh-keygen: %v, as %q for %q by\n%q\nnotes %v", ours, theirs, c.as, c.ns, c.lines, notes)
	}
	// ssh-keygen stops at the first line that lists the key, and there at an empty pattern.
	found := allowed.Principals(key, at)
	out, ok := s.run([]byte("m"), utc, "-Y", "find-principals", "-f", file, "-s", sig, "-O", "verify-time="+c.at)
	for principal := range strings.Lines(out) {
		if principal = strings.TrimSuffix(principal, "\n"); principal != "" && !safer && !slices.Contains(found, principal) {
			s.t.Errorf("ssh-keygen finds the principal %q, here it is %q, in\n%q\nnotes %v", principal, found, c.lines, notes)
		}
	}
	if len(found) > 0 && !ok {
		s.t.Errorf("principals here: %q, by ssh-keygen: none, in\n%q\nnotes %v", found, c.lines, notes)
	}
	return ours
}
