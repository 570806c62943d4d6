package home

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// testNow is the time of everything, unless a test says otherwise.
var testNow = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

func testOptions() Options {
	return Options{Now: testNow, Author: Author{Name: "Tester", Email: "tester@example.org"}}
}

func optionsAt(minutes int) Options {
	o := testOptions()
	o.Now = o.Now.Add(time.Duration(minutes) * time.Minute)
	return o
}

// zeros is a source of salts that is always the same.
type zeros byte

func (z zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(z)
	}
	return len(b), nil
}

// newHome makes a home in a new folder.
func newHome(t testing.TB, key testkit.Key) *Home {
	t.Helper()
	h, err := Create(t.Context(), filepath.Join(t.TempDir(), "home"), key, Profile{Name: "Me"}, zeros(1), testOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// reopen opens a home again, as the next command would.
func reopen(t testing.TB, h *Home) *Home {
	t.Helper()
	return openHome(t, h.Dir())
}

func openHome(t testing.TB, dir string) *Home {
	t.Helper()
	h, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// trustDoc is a record about a file with that name and content.
func trustDoc(name string) schema.Record { return testkit.Trust(testkit.File(name, name)) }

func reportDoc(name string) schema.Record { return testkit.Report(testkit.File(name, name)) }

// say writes one record about each name.
func say(t testing.TB, h *Home, key testkit.Key, minutes int, names ...string) []records.Record {
	t.Helper()
	var docs []schema.Record
	for _, name := range names {
		docs = append(docs, trustDoc(name))
	}
	written, err := h.Write(t.Context(), key, docs, optionsAt(minutes))
	if err != nil {
		t.Fatalf("writing %v: %v", names, err)
	}
	return written.Records
}

// put writes a file into a home by hand.
func put(t testing.TB, h interface{ Dir() string }, path, content string) {
	t.Helper()
	file := filepath.Join(h.Dir(), filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, h *Home, path string) {
	t.Helper()
	if err := os.Remove(filepath.Join(h.Dir(), filepath.FromSlash(path))); err != nil {
		t.Fatal(err)
	}
}

// sealed is a record signed by key for the log of the home, not in it.
func sealed(t testing.TB, h *Home, key testkit.Key, doc schema.Record) records.Envelope {
	t.Helper()
	doc.Log, doc.Issued = h.LogID(), testNow
	e, err := records.Seal(t.Context(), doc, key)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// drop puts a signed record into the work tree of a home, as a copy or a merge would.
func drop(t testing.TB, h *Home, e records.Envelope) {
	t.Helper()
	put(t, h, e.Path, string(e.YAML))
	put(t, h, records.SignaturePath(e.Path), string(e.Sig))
}

// remoteKit is an empty repository with machines of one log around it.
type remoteKit struct {
	testing.TB
	url string
}

func newRemote(t testing.TB) *remoteKit {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "remote.git")
	if _, err := MakeRemote(dir); err != nil {
		t.Fatal(err)
	}
	return &remoteKit{TB: t, url: dir}
}

// first creates a home and publishes it.
func (r *remoteKit) first(key testkit.Key) *Home {
	r.Helper()
	h := newHome(r, key)
	if err := h.SetRemote(r.url); err != nil {
		r.Fatal(err)
	}
	if got := r.sync(h, key, 1); !got.Pushed {
		r.Fatalf("first publish: %+v", got)
	}
	return h
}

// join clones the log onto another machine.
func (r *remoteKit) join() *Home {
	r.Helper()
	h, err := Join(r.Context(), filepath.Join(r.TempDir(), "home"), r.url, remoteAccess(), testNow.Add(24*time.Hour))
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { h.Close() })
	return h
}

// two are two machines whose keys the log knows, and nothing but them at the remote.
func (r *remoteKit) two() (a, b *Home) {
	r.Helper()
	dir := copyOf(r, twoTemplate)
	r.url = filepath.Join(dir, "remote.git")
	a, b = openHome(r, filepath.Join(dir, "a")), openHome(r, filepath.Join(dir, "b"))
	for _, h := range []*Home{a, b} {
		if err := h.SetRemote(r.url); err != nil {
			r.Fatal(err)
		}
	}
	return a, b
}

func remoteAccess() Remote { return Remote{Typed: true, Insecure: true} }

func syncOptions(key testkit.Key, minutes int) SyncOptions {
	return SyncOptions{
		Options: optionsAt(minutes), Access: remoteAccess(),
		Publish: func(int, string) (bool, error) { return true, nil },
		Signer:  func(context.Context) (records.Signer, error) { return key, nil },
	}
}

func (r *remoteKit) sync(h *Home, key testkit.Key, minutes int) *SyncResult {
	r.Helper()
	result, err := h.Sync(r.Context(), syncOptions(key, minutes))
	if err != nil {
		r.Fatalf("syncing: %v", err)
	}
	return result
}

// names are the records of a home, by those of the files that they are about.
func names(t testing.TB, h *Home) string {
	t.Helper()
	all, err := h.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range all {
		doc := r.Doc()
		if len(doc.Subjects) == 0 {
			names = append(names, string(doc.Kind))
			continue
		}
		names = append(names, doc.Subjects[0].File)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func wantNames(t testing.TB, h *Home, want string) {
	t.Helper()
	if got := names(t, h); got != want {
		t.Errorf("records of %s: %q, want %q", h.Dir(), got, want)
	}
}

// headOf is HEAD's commit, as git says it.
func headOf(t testing.TB, dir string) string {
	t.Helper()
	return testkit.Git(t, dir, "rev-parse", "HEAD")
}

// stock holds a home to what OpenSSH, sha256sum and git say of it.
func stock(t testing.TB, h *Home) {
	t.Helper()
	testkit.Need(t, "ssh-keygen", "sh", "sha256sum")
	dir, doc := h.Dir(), h.Head().Doc()
	if out := testkit.Git(t, dir, "status", "--porcelain"); out != "" {
		t.Errorf("git status:\n%s", out)
	}
	testkit.Git(t, dir, "fsck", "--strict", "--no-dangling")
	out, err := testkit.Run(t, dir, nil, "sh", "-c", "find records -type f 2>/dev/null | LC_ALL=C sort | xargs -r sha256sum | sha256sum")
	if root, _, _ := strings.Cut(out, " "); err != nil || root != doc.Root {
		t.Errorf("root by the shell: %s %v, the head says %s", out, err, doc.Root)
	}
	verify := func(path, namespace string) {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		if err != nil {
			t.Fatal(err)
		}
		if out, err := testkit.Run(t, dir, b, "ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", doc.Log, "-n", namespace, "-s", path+".sig"); err != nil {
			t.Errorf("ssh-keygen does not like %s: %s", path, out)
		}
	}
	verify(records.HeadFile, "distrust/head/v1")
	kept, err := h.kept(h.sealed)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		if signs := checkSigner(doc.Keys, k.SignedBy()); signs == nil { // the others are not in allowed_signers
			verify(records.HeadPath(k.Doc().Seq), "distrust/head/v1")
		}
	}
	for _, r := range mustRecords(t, h) {
		if _, k := findKey(h.Keys(), r.Key().String()); k.State != schema.Compromised { // those are not in allowed_signers either
			verify(r.Path(), "distrust/record/v1")
		}
	}
}

func mustRecords(t testing.TB, h *Home) []records.Record {
	t.Helper()
	all, err := h.Records(t.Context())
	if err != nil || len(h.Skipped()) > 0 {
		t.Fatal(err, h.Skipped())
	}
	return all
}
