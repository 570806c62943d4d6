package records

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// testLog is a log with an active, a retired and a compromised key.
func testLog(t testing.TB) (Log, Head) {
	h := firstHead(t, laptop, desktop.Listed(schema.Retired, false), thief.Listed(schema.Compromised, false))
	return h.Log(), h
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	log, _ := testLog(t)
	for _, key := range []testkit.Key{laptop, desktop, thief} {
		doc := fileRecord(schema.KindTrust, log.ID, "requests-2.33.0.tar.gz", "content", testStart)
		doc.Project, doc.Version, doc.Reason = "pkg:pypi/requests", "2.33.0", "Read the diff from 2.32."
		e, err := Seal(context.Background(), doc, key)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Open(e, log)
		if err != nil {
			t.Fatal(err)
		}
		if r.ID() != schema.RecordID(e.YAML) || r.Key() != key.Key() || r.Path() != e.Path || r.Log() != log.ID || r.Kind() != doc.Kind {
			t.Fatalf("opened %+v", r)
		}
		if got := r.Doc(); got.By != key.Text() || got.Reason != doc.Reason || got.Project != doc.Project {
			t.Fatalf("it says %+v", got)
		}
		back := r.Envelope()
		if back.Path != e.Path || !bytes.Equal(back.YAML, e.YAML) || !bytes.Equal(back.Sig, e.Sig) {
			t.Fatal("the envelope changed on the way")
		}
	}
}

// TestRecordIsItsOwn changes everything that a record was made of and gives out.
func TestRecordIsItsOwn(t *testing.T) {
	t.Parallel()
	log, _ := testLog(t)
	doc := schema.Record{
		Kind: schema.KindFollow, Log: log.ID, Issued: testStart, Weight: 50, Scopes: []string{"pkg:pypi/*"},
		Source: &schema.FollowSource{Log: strings.Repeat("a", 32), URL: "https://example.org/x.git", Key: stranger.Key().Fingerprint()},
	}
	e, err := Seal(context.Background(), doc, laptop)
	if err != nil {
		t.Fatal(err)
	}
	yaml := bytes.Clone(e.YAML)
	r, err := Open(e, log)
	if err != nil {
		t.Fatal(err)
	}
	e.YAML[0], e.Sig[0] = '#', '#'
	out := r.Envelope()
	out.YAML[0], out.Sig[0] = '#', '#'
	got := r.Doc()
	got.Scopes[0], got.Source.URL = "*", "https://evil.example/"
	if again := r.Doc(); again.Scopes[0] != "pkg:pypi/*" || again.Source.URL != "https://example.org/x.git" {
		t.Error("a document that was given out changes the record")
	}
	if back := r.Envelope(); !bytes.Equal(back.YAML, yaml) || back.Sig[0] == '#' {
		t.Error("bytes that came in or went out change the record")
	}

	h := firstHead(t, laptop)
	d, l := h.Doc(), h.Log()
	d.Keys[0].State, l.Keys[0].State = schema.Compromised, schema.Compromised
	y, s := h.Bytes()
	y[0], s[0] = '#', '#'
	if y2, s2 := h.Bytes(); h.Doc().Keys[0].State != schema.Active || y2[0] == '#' || s2[0] == '#' {
		t.Error("what a head gave out changes it")
	}
}

func TestHostileRecord(t *testing.T) {
	t.Parallel()
	log, head := testLog(t)
	doc := fileRecord(schema.KindDistrust, log.ID, "tool.tar.gz", "content", testStart)
	good, err := Seal(context.Background(), doc, laptop)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(doc schema.Record, by string, key testkit.Key, ns sshsig.Namespace) Envelope {
		doc.By = by
		b, err := doc.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		sig, err := key.Sign(context.Background(), b, ns)
		if err != nil {
			t.Fatal(err)
		}
		return Envelope{Path: Path(doc, schema.RecordID(b)), YAML: b, Sig: sig}
	}
	text := func(old, new string) Envelope { // changed bytes at their right place
		e := good
		e.YAML = bytes.Replace(e.YAML, []byte(old), []byte(new), 1)
		if bytes.Equal(e.YAML, good.YAML) {
			t.Fatalf("no %q in the record", old)
		}
		if d, err := schema.ParseRecord("", e.YAML); err == nil {
			e.Path = Path(*d, schema.RecordID(e.YAML))
		}
		return e
	}
	other := firstHead(t, stranger, laptop.Listed(schema.Active, false)).Log()
	headYAML, headSig := head.Bytes()
	for name, c := range map[string]struct {
		e    Envelope
		rule schema.Rule
		is   error
		log  *Log
	}{
		"not YAML":               {e: Envelope{good.Path, []byte("\t"), good.Sig}, rule: "F1"},
		"empty":                  {e: Envelope{good.Path, nil, nil}, rule: "F1"},
		"too long":               {e: Envelope{good.Path, append(bytes.Clone(good.YAML), bytes.Repeat([]byte("#"), schema.MaxRecordBytes)...), good.Sig}, rule: "F1"},
		"a newer field":          {e: text(`category:`, "colour: \"red\"\ncategory:"), rule: "F1", is: schema.ErrNotUnderstood},
		"a missing field":        {e: text("category: \"malware\"\n", ""), rule: "F2"},
		"one byte more":          {e: text(`"malware"`, `"malware" `), rule: "F3", is: sshsig.ErrBadSignature},
		"another category":       {e: text(`"malware"`, `"other"`), rule: "F3", is: sshsig.ErrBadSignature},
		"another log":            {e: good, rule: "F2", log: &other},
		"no signature":           {e: Envelope{good.Path, good.YAML, nil}, rule: "F3"},
		"a signature too long":   {e: Envelope{good.Path, good.YAML, append(bytes.Clone(good.Sig), bytes.Repeat([]byte("\n"), schema.MaxSignatureBytes)...)}, rule: "F3"},
		"text after the armour":  {e: Envelope{good.Path, good.YAML, append(bytes.Clone(good.Sig), "x\n"...)}, rule: "F3"},
		"signed for a head":      {e: signed(doc, laptop.Text(), laptop, sshsig.NamespaceHead), rule: "F3", is: sshsig.ErrNamespace},
		"signed for a file":      {e: signed(doc, laptop.Text(), laptop, sshsig.NamespaceFile), rule: "F3", is: sshsig.ErrNamespace},
		"a head as a record":     {e: Envelope{good.Path, headYAML, headSig}, rule: ""},
		"another key in by":      {e: signed(doc, laptop.Text(), desktop, sshsig.NamespaceRecord), rule: "F3"},
		"a stranger's own":       {e: signed(doc, stranger.Text(), stranger, sshsig.NamespaceRecord), rule: "F3"},
		"a stranger for another": {e: signed(doc, laptop.Text(), stranger, sshsig.NamespaceRecord), rule: "F3"},
		"elsewhere":              {e: Envelope{strings.Replace(good.Path, "records/any/", "records/pypi/requests/", 1), good.YAML, good.Sig}, rule: "F4"},
		"another id in the name": {e: Envelope{strings.Replace(good.Path, "-"+schema.RecordID(good.YAML)[:16], "-0000000000000000", 1), good.YAML, good.Sig}, rule: "F4"},
		"as .yaml":               {e: Envelope{strings.TrimSuffix(good.Path, ".yml") + ".yaml", good.YAML, good.Sig}, rule: "F4"},
		"nowhere":                {e: Envelope{"", good.YAML, good.Sig}, rule: "F4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := log
			if c.log != nil {
				in = *c.log
			}
			r, err := Open(c.e, in)
			var refusal *Refusal
			if !errors.As(err, &refusal) {
				t.Fatalf("got %v, want a Refusal", err)
			}
			if r.ID() != "" {
				t.Error("a refusal came with a record")
			}
			if refusal.Path != c.e.Path || (c.rule != "" && refusal.Rule != c.rule) || refusal.Reason == "" {
				t.Errorf("refused as %+v, want rule %s", refusal, c.rule)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not %v", err, c.is)
			}
			if (c.is == schema.ErrNotUnderstood) != errors.Is(err, schema.ErrNotUnderstood) { //nolint:errorlint // which case it is, not an error
				t.Errorf("%v: understood or not", err)
			}
		})
	}
	if _, err := Open(text("category: \"malware\"", "category: \"silly\""), log); !strings.HasPrefix(err.Error(), good.Path[:8]) || !strings.Contains(err.Error(), "(F2)") {
		t.Errorf("the message is %q", err)
	}
}

// TestStockVerify holds what Seal writes to OpenSSH's own judgement, and what it refuses too.
func TestStockVerify(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "ssh-keygen")
	log, head := testLog(t)
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	allowed := write(AllowedSigners, AllowedSignersFile(head.Doc()))
	verify := func(ns, sig string, message []byte) error {
		cmd := exec.Command("ssh-keygen", "-Y", "verify", "-f", allowed, "-I", log.ID, "-n", ns, "-s", sig)
		cmd.Stdin = bytes.NewReader(message)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Logf("%s", out)
		}
		return err
	}
	for _, key := range []testkit.Key{laptop, desktop} {
		e, err := Seal(context.Background(), fileRecord(schema.KindTrust, log.ID, "a.txt", "a", testStart), key)
		if err != nil {
			t.Fatal(err)
		}
		sig := write(SignaturePath(e.Path), e.Sig)
		if err := verify("distrust/record/v1", sig, e.YAML); err != nil {
			t.Errorf("ssh-keygen refuses a record: %v", err)
		}
		if verify("distrust/head/v1", sig, e.YAML) == nil || verify("distrust/record/v1", sig, append(e.YAML, '\n')) == nil {
			t.Error("ssh-keygen accepts what was not signed")
		}
	}
	e, err := Seal(context.Background(), fileRecord(schema.KindTrust, log.ID, "a.txt", "a", testStart), thief)
	if err != nil {
		t.Fatal(err)
	}
	if verify("distrust/record/v1", write(SignaturePath(e.Path), e.Sig), e.YAML) == nil {
		t.Error("a compromised key is an allowed signer")
	}
	yaml, sig := head.Bytes()
	if err := verify("distrust/head/v1", write(HeadSignatureFile, sig), yaml); err != nil {
		t.Errorf("ssh-keygen refuses a head: %v", err)
	}
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	log, _ := testLog(t)
	doc := fileRecord(schema.KindDistrust, log.ID, "a", "a", testStart)
	doc.Category = ""
	if _, err := Seal(context.Background(), doc, laptop); err == nil {
		t.Error("a report without a category was sealed")
	}
	if _, err := Seal(context.Background(), schema.Record{}, laptop); err == nil {
		t.Error("nothing was sealed")
	}
	failing := failingSigner{laptop}
	doc.Category = schema.Malware
	if _, err := Seal(context.Background(), doc, failing); !errors.Is(err, errTestSigner) {
		t.Errorf("a signer that fails: %v", err)
	}
	if _, err := SealHead(context.Background(), firstHead(t, laptop).Doc(), failing); !errors.Is(err, errTestSigner) {
		t.Errorf("a signer that fails: %v", err)
	}
}

var errTestSigner = errors.New("no card in the reader")

type failingSigner struct{ Signer }

func (failingSigner) Sign(context.Context, []byte, sshsig.Namespace) ([]byte, error) {
	return nil, errTestSigner
}

func FuzzOpen(f *testing.F) {
	log, head := testLog(f)
	for _, kind := range []schema.Kind{schema.KindTrust, schema.KindDistrust} {
		e, err := Seal(context.Background(), fileRecord(kind, log.ID, "a", "a", testStart.Add(time.Minute)), laptop)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(e.Path, e.YAML, e.Sig)
		f.Add("records/any/00/x.yml", e.YAML, e.Sig)
		f.Add(e.Path, e.YAML[1:], e.Sig)
		f.Add(e.Path, e.YAML, e.Sig[1:])
	}
	yaml, sig := head.Bytes()
	f.Add(HeadFile, yaml, sig)
	f.Fuzz(func(t *testing.T, path string, yaml, sig []byte) {
		if r, err := Open(Envelope{path, yaml, sig}, log); err == nil {
			if Path(r.Doc(), r.ID()) != path || r.Doc().Log != log.ID || r.Doc().By != r.Key().String() {
				t.Fatalf("opened %q, which is not what it says", path)
			}
			if key, err := sshsig.Verify(yaml, sig, sshsig.NamespaceRecord); err != nil || key != r.Key() {
				t.Fatalf("opened what does not verify: %v", err)
			}
			checkPath(t, path)
		} else if refusal := (*Refusal)(nil); !errors.As(err, &refusal) || refusal.Rule == "" {
			t.Fatalf("refused without a rule: %v", err)
		}
		if h, err := OpenHead(path, yaml, sig); err == nil {
			if _, listed := findKey(h.Doc().Keys, h.SignedBy().String()); !listed || h.Expires().Sub(h.Doc().Issued) > schema.MaxHeadLifetime {
				t.Fatal("opened a head that breaks F5")
			}
		}
	})
}
