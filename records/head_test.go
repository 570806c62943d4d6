package records

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

func TestHostileHead(t *testing.T) {
	t.Parallel()
	good := firstHead(t, laptop, offline.Listed(schema.Active, true))
	yaml, sig := good.Bytes()
	signed := func(yaml []byte, key testkit.Key, ns sshsig.Namespace) []byte {
		sig, err := key.Sign(context.Background(), yaml, ns)
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	change := func(old, new string) []byte {
		b := bytes.Replace(yaml, []byte(old), []byte(new), 1)
		if bytes.Equal(b, yaml) {
			t.Fatalf("no %q in the head", old)
		}
		return b
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // too small on purpose
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("this platform makes no weak keys: %v", err)
	}
	weakPub, err := ssh.NewPublicKey(&small.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := func(k ssh.PublicKey) string { return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))) }
	cert := &ssh.Certificate{Key: desktop.SSH.PublicKey(), CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, stranger.SSH); err != nil {
		t.Fatal(err)
	}
	listing := func(key string) []byte { return change(offline.Text(), key) }
	long := bytes.Clone(yaml)
	for len(long) <= schema.MaxHeadBytes {
		long = append(long, "# more\n"...)
	}
	record, err := Seal(context.Background(), fileRecord(schema.KindTrust, good.Log().ID, "a", "a", testStart), laptop)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		yaml, sig []byte
		is        error
		reason    string
	}{
		"empty":                    {nil, nil, nil, ""},
		"too long":                 {long, signed(long, laptop, sshsig.NamespaceHead), nil, ""},
		"not understood":           {change("distrust: 1", "distrust: 2"), sig, schema.ErrNotUnderstood, ""},
		"no root":                  {change("root:", "# root:"), sig, nil, ""},
		"one byte more":            {append(bytes.Clone(yaml), '\n'), sig, sshsig.ErrBadSignature, ""},
		"no signature":             {yaml, nil, nil, ""},
		"a signature too long":     {yaml, append(bytes.Clone(sig), bytes.Repeat([]byte("\n"), schema.MaxSignatureBytes)...), nil, ""},
		"signed as a record":       {yaml, signed(yaml, laptop, sshsig.NamespaceRecord), sshsig.ErrNamespace, ""},
		"a record as a head":       {record.YAML, record.Sig, nil, ""},
		"signed by an unlisted":    {yaml, signed(yaml, stranger, sshsig.NamespaceHead), nil, "does not list"},
		"a key twice":              {listing(laptop.Text()), signed(listing(laptop.Text()), laptop, sshsig.NamespaceHead), nil, "twice"},
		"a weak key":               {listing(text(weakPub)), signed(listing(text(weakPub)), laptop, sshsig.NamespaceHead), sshsig.ErrWeakKey, ""},
		"a certificate":            {listing(text(cert)), signed(listing(text(cert)), laptop, sshsig.NamespaceHead), sshsig.ErrKeyType, ""},
		"a key of an unknown type": {listing("ssh-dss AAAAB3NzaC1kc3M="), signed(listing("ssh-dss AAAAB3NzaC1kc3M="), laptop, sshsig.NamespaceHead), nil, ""},
		"a key with a comment":     {listing(offline.Text() + " me"), signed(listing(offline.Text()+" me"), laptop, sshsig.NamespaceHead), nil, ""},
		"a key that is none":       {listing("laptop"), signed(listing("laptop"), laptop, sshsig.NamespaceHead), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := OpenHead("some/head.yml", c.yaml, c.sig)
			var refusal *Refusal
			if !errors.As(err, &refusal) || !h.IsZero() {
				t.Fatalf("got %v, want a Refusal", err)
			}
			if refusal.Rule == "" || !strings.HasPrefix(err.Error(), "some/head.yml:") || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("refused as %v", err)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not %v", err, c.is)
			}
		})
	}
}

// TestKeyText: two texts of one key would let a listed key hide behind another, so the one
// spelling is required.
func TestKeyText(t *testing.T) {
	t.Parallel()
	good := firstHead(t, laptop, offline.Listed(schema.Active, true))
	yaml, _ := good.Bytes()
	wire := laptop.Key().Wire()
	kind := laptop.Key().Type()
	for _, text := range []string{
		kind + "  " + base64.StdEncoding.EncodeToString(wire),
		kind + " " + base64.RawStdEncoding.EncodeToString(wire),
		kind + " " + base64.StdEncoding.EncodeToString(append(wire, 0)),
		kind + " " + base64.StdEncoding.EncodeToString(wire) + " ",
		strings.ToUpper(kind) + " " + base64.StdEncoding.EncodeToString(wire),
	} {
		if text == laptop.Text() {
			continue // the wire form needs no padding
		}
		b := bytes.Replace(yaml, []byte(offline.Text()), []byte(text), 1)
		sig, err := laptop.Sign(context.Background(), b, sshsig.NamespaceHead)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenHead(HeadFile, b, sig); err == nil {
			t.Errorf("laptop's key is listed a second time as %q", text)
		}
	}
}

func TestOpenKept(t *testing.T) {
	t.Parallel()
	h := nextHead(t, firstHead(t, laptop), laptop)
	yaml, sig := h.Bytes()
	if _, err := OpenKept("keys/2.yml", yaml, sig); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"keys/1.yml", "keys/02.yml", "keys/2.yaml", "head.yml", "keys/x/2.yml"} {
		var refusal *Refusal
		if _, err := OpenKept(path, yaml, sig); !errors.As(err, &refusal) || refusal.Rule != "F4" {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := OpenKept("keys/2.yml", yaml, nil); err == nil {
		t.Error("opened without a signature")
	}
}

func TestAllowedSignersFile(t *testing.T) {
	t.Parallel()
	_, h := testLog(t)
	want := ""
	for _, k := range []testkit.Key{laptop, desktop} { // the thief's key is compromised
		want += fmt.Sprintf("%s namespaces=\"distrust/record/v1,distrust/head/v1\" %s\n", h.Log().ID, k.Text())
	}
	if got := string(AllowedSignersFile(h.Doc())); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := AllowedSignersFile(schema.Head{Keys: []schema.Key{{Key: "none", State: schema.Active}}}); len(got) != 0 {
		t.Errorf("a key that is none gives %q", got)
	}
}
