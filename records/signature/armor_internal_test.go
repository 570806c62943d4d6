package signature

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

// FuzzArmor: what one block holds here it holds for the library's reader too.
func FuzzArmor(f *testing.F) {
	for _, name := range []string{"openpgp.asc", "openpgp-armored.cert"} {
		b, err := os.ReadFile("testdata/seeds/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")))
		f.Add(bytes.Replace(b, []byte("\n\n"), []byte("\nVersion: 1\nComment:\n\n"), 1))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, kind := range []string{armorSignature, armorPublicKey} {
			if !isArmored(b, kind) {
				continue
			}
			content, rest, err := dearmorOne(trimBlank(b), kind)
			if err != nil {
				continue
			}
			block, err := armor.Decode(bytes.NewReader(b[:len(b)-len(rest)]))
			if err != nil {
				t.Fatalf("%q: the library says %v", b, err)
			}
			want, err := io.ReadAll(block.Body)
			if err != nil || block.Type != kind || !bytes.Equal(content, want) {
				t.Errorf("%q: %s of %q, the library has %q, %v", b, block.Type, content, want, err)
			}
		}
	})
}

func TestArmor(t *testing.T) {
	t.Parallel()
	const begin, end = "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----"
	good := begin + "\n\naGVsbG8=\n=R/WK\n" + end + "\n" // a checksum of "hello"
	for name, c := range map[string]struct{ text, want string }{
		"good":                  {good, "hello"},
		"without checksum":      {strings.Replace(good, "=R/WK\n", "", 1), "hello"},
		"headers":               {strings.Replace(good, "\n\n", "\nVersion: GnuPG v1\nComment: a: b\n\n", 1), "hello"},
		"blank lines in front":  {"\n \r\n" + good, "hello"},
		"twice":                 {good + "\n" + good, "hellohello"},
		"wrong checksum":        {strings.Replace(good, "=R/WK", "=AAAA", 1), "!checksum is wrong"},
		"checksum of no base64": {strings.Replace(good, "=R/WK", "=A/C*", 1), "!checksum is wrong"},
		"after the checksum":    {strings.Replace(good, "=R/WK\n", "=R/WK\nAAAA\n", 1), "!follows its checksum"},
		"no blank line":         {strings.Replace(good, "\n\n", "\n", 1), "!no blank line"},
		"blank line within":     {strings.Replace(good, "\n=", "\n\n=", 1), "!holds a blank line"},
		"carriage return":       {strings.Replace(good, "aGVs", "aG\rVs", 1), "!carriage return"},
		"nothing in it":         {begin + "\n\n" + end + "\n", "!not base64"},
		"not base64":            {strings.Replace(good, "aGVs", "a.Vs", 1), "!not base64"},
		"text behind":           {good + "hello\n", "!no PGP SIGNATURE"},
		"text in front":         {"hello\n" + good, "!no PGP SIGNATURE"},
		"text on the line":      {strings.Replace(good, begin, begin+" hello", 1), "!holds something else"},
		"another kind behind":   {good + strings.ReplaceAll(good, "SIGNATURE", "MESSAGE"), "!no PGP SIGNATURE"},
		"ends as another kind":  {strings.Replace(good, end, "-----END PGP MESSAGE-----", 1), "!follows its checksum"},
		"no end":                {strings.Replace(good, end+"\n", "", 1), "!cut short"},
		"only headers":          {begin + "\nVersion: 1\n", "!cut short"},
	} {
		got, err := dearmor([]byte(c.text), armorSignature)
		if want, bad := strings.CutPrefix(c.want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q, %v, want %q", name, got, err, want)
			}
		} else if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestHeldBytes: signatures over the bytes themselves are not checked for ever longer files, and what was
// held is given back.
func TestHeldBytes(t *testing.T) {
	v := &rawVerifier{rawSignature: &rawSignature{format: Signify}}
	block := make([]byte, 1<<20)
	for range MaxHeld >> 20 {
		_, _ = v.Write(block)
	}
	if v.over || len(v.held) != MaxHeld {
		t.Fatalf("%d bytes held, over %v", len(v.held), v.over)
	}
	_, _ = v.Write([]byte{0})
	_, _ = v.Write(block)
	if got := v.results(); !v.over || v.held != nil || len(got) != 1 || got[0].State != Weak || !strings.Contains(got[0].Detail, "134217728") {
		t.Errorf("%d bytes held: %+v", len(v.held), got)
	}
}
