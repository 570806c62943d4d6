package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// testStart is when the first head of a log is issued; every head is a minute younger than the one
// before.
var testStart = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

var testNow = testStart.Add(24 * time.Hour)

// forge makes a trust repository: real keys, real signatures, the stock git. It can do what no
// honest publisher does.
type forge struct {
	t     testing.TB
	dir   string
	key   testkit.Key
	head  records.Head
	kept  []records.Head
	files map[string][]byte // what the next commit holds
	said  int               // records so far, for their times
	tip   string            // the last commit; "" makes the next one a root
}

// newForge is a log of one key with one sealed head over no records.
func newForge(t testing.TB, name string) *forge {
	t.Helper()
	f := emptyForge(t, name)
	f.seal(nil)
	return f
}

func emptyForge(t testing.TB, name string) *forge {
	t.Helper()
	f := &forge{t: t, dir: filepath.Join(t.TempDir(), name), key: testkit.NewKey(name), files: map[string][]byte{}}
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	testkit.Git(f.t, f.dir, "init", "-q", "--bare", "-b", "main")
	return f
}

// log is the id of the log.
func (f *forge) log() string { return f.head.Doc().Log }

// say adds a signed record to the next set; with a key other than the forge's as the last argument.
func (f *forge) say(doc schema.Record, by ...testkit.Key) records.Envelope {
	f.t.Helper()
	key := f.key
	if len(by) > 0 {
		key = by[0]
	}
	f.said++
	if doc.Log == "" {
		doc.Log = f.log()
	}
	if doc.Issued.IsZero() {
		doc.Issued = testStart.Add(time.Duration(f.said) * time.Second)
	}
	e, err := records.Seal(context.Background(), doc, key)
	if err != nil {
		f.t.Fatalf("sealing record: %v", err)
	}
	f.files[e.Path], f.files[records.SignaturePath(e.Path)] = e.YAML, e.Sig
	return e
}

// take removes a record from the next set.
func (f *forge) take(e records.Envelope) {
	delete(f.files, e.Path)
	delete(f.files, records.SignaturePath(e.Path))
}

// nextHead signs the head over the files that the next commit holds; it is not the forge's head yet.
func (f *forge) nextHead(edit func(*schema.Head)) records.Head {
	f.t.Helper()
	root, count := f.root()
	var doc schema.Head
	if f.head.IsZero() {
		doc = records.FirstHead(f.key.Key(), testkit.Salt, testStart, func(d *schema.Head) {
			d.Keys[0].Name = "key"
			d.Root, d.Records = root, count
			if edit != nil {
				edit(d)
			}
		})
	} else {
		issued := testStart.Add(time.Duration(f.head.Doc().Seq) * time.Minute)
		doc = records.NextHead(f.head, root, count, issued, edit)
	}
	h, err := records.SealHead(context.Background(), doc, f.key)
	if err != nil {
		f.t.Fatalf("sealing head: %v", err)
	}
	return h
}

func (f *forge) root() (string, int64) {
	r := records.NewRoot()
	for _, path := range slices.Sorted(maps.Keys(f.files)) {
		if strings.HasPrefix(path, "records/") {
			if err := r.Add(path, sha256.Sum256(f.files[path])); err != nil {
				f.t.Fatal(err)
			}
		}
	}
	return r.Sum(), r.Records()
}

// seal signs a head over the set and commits both. It gives the commit.
func (f *forge) seal(edit func(*schema.Head)) string {
	f.t.Helper()
	return f.publish(f.nextHead(edit))
}

// publish makes h the forge's head and commits it with the files that are there.
func (f *forge) publish(h records.Head) string {
	f.t.Helper()
	f.head = h
	f.kept = records.KeptAfter(f.kept, h)
	f.files["head.yml"], f.files["head.yml.sig"] = h.Bytes()
	for _, k := range f.kept {
		path := records.HeadPath(k.Doc().Seq)
		f.files[path], f.files[records.SignaturePath(path)] = k.Bytes()
	}
	f.files["allowed_signers"] = records.AllowedSignersFile(h.Doc())
	return f.commit("seal")
}

// commit commits the files as they are, fitting or not.
func (f *forge) commit(message string) string {
	f.t.Helper()
	var in bytes.Buffer
	fmt.Fprintf(&in, "reset refs/heads/main\n%s\ncommit refs/heads/main\nmark :1\n", from(f.tip))
	fmt.Fprintf(&in, "committer a <a@example.org> %d +0000\ndata %d\n%s\n", testStart.Unix()+int64(f.said), len(message), message)
	fmt.Fprintf(&in, "%sdeleteall\n", from(f.tip))
	for _, path := range slices.Sorted(maps.Keys(f.files)) {
		fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", path, len(f.files[path]), f.files[path])
	}
	fmt.Fprintf(&in, "get-mark :1\n")
	f.tip = testkit.GitReads(f.t, f.dir, in.Bytes(), "fast-import", "--quiet", "--force")
	return f.tip
}

func from(commit string) string {
	if commit == "" {
		return ""
	}
	return "from " + commit + "\n"
}

// orphan makes the next commit the first of a new history.
func (f *forge) orphan() { f.tip = "" }

// mark remembers a state of the forge, for going back to it with reset.
type mark struct {
	commit string
	head   records.Head
	kept   []records.Head
	files  map[string][]byte
}

func (f *forge) mark() mark { return mark{f.tip, f.head, slices.Clone(f.kept), maps.Clone(f.files)} }

func (f *forge) reset(m mark) {
	f.t.Helper()
	testkit.Git(f.t, f.dir, "update-ref", "refs/heads/main", m.commit)
	f.tip, f.head, f.kept, f.files = m.commit, m.head, slices.Clone(m.kept), maps.Clone(m.files)
}

// Records to say.

func trustFile(content string) schema.Record {
	return testkit.Trust(testkit.File("file", content))
}

func reportFile(content string) schema.Record {
	return testkit.Report(testkit.File("file", content))
}

func withdraw(ids ...string) schema.Record {
	return schema.Record{Kind: schema.KindWithdraw, Withdraws: ids}
}

func followOf(other *forge, url string, scopes ...string) schema.Record {
	return schema.Record{
		Kind: schema.KindFollow, Weight: 50, Scopes: scopes,
		Source: &schema.FollowSource{Log: other.log(), URL: url, Key: other.key.Fingerprint()},
	}
}

func idOf(e records.Envelope) string { return schema.RecordID(e.YAML) }

// machine is one follower: its folders and its clock.
type machine struct {
	t    testing.TB
	dirs Dirs
	opt  Options
}

func newMachine(t testing.TB) *machine {
	t.Helper()
	dir := t.TempDir()
	d := Dirs{Data: filepath.Join(dir, "data"), State: filepath.Join(dir, "state"), Cache: filepath.Join(dir, "cache")}
	return &machine{t: t, dirs: d, opt: Options{Now: testNow, Index: index.Dir{Cache: d.Cache, Data: d.Data}, Child: childOf("honest")}}
}

func (m *machine) apply(ctx context.Context, updates []index.Update) error {
	return index.Apply(ctx, m.opt.Index, updates, index.Config{})
}

// follow makes the first contact with a forge, by path and with the right fingerprint.
func (m *machine) follow(f *forge) Spec {
	m.t.Helper()
	spec := Spec{Name: filepath.Base(f.dir), URL: f.dir, Fingerprint: f.key.Fingerprint()}
	r := m.first(spec, nil)
	if r.State != StateNews || r.Err != nil {
		m.t.Fatalf("following %s: %s: %v", spec.Name, r.State, r.Err)
	}
	spec.Log = r.Log
	return spec
}

func (m *machine) first(spec Spec, ask func(Offer) (bool, error)) *Result {
	m.t.Helper()
	b, err := First(context.Background(), m.dirs, spec, m.opt, ask)
	if err != nil {
		m.t.Fatal(err)
	}
	return m.finish(b)[0]
}

func (m *machine) sync(specs ...Spec) []*Result {
	m.t.Helper()
	b, err := Sync(context.Background(), m.dirs, specs, m.opt)
	if err != nil {
		m.t.Fatal(err)
	}
	return m.finish(b)
}

func (m *machine) finish(b *Batch) []*Result {
	m.t.Helper()
	defer b.Close()
	if err := b.Commit(context.Background(), m.apply); err != nil {
		m.t.Fatal(err)
	}
	return b.Results()
}

func (m *machine) pin(log string) *Pin {
	m.t.Helper()
	pin, err := ReadPin(m.dirs, log)
	if err != nil {
		m.t.Fatal(err)
	}
	return pin
}

// holds reads the index: the ids of a log's records, and whether each is a vanished report.
func (m *machine) holds(log string) map[string]bool {
	m.t.Helper()
	g, err := index.Open(m.opt.Index)
	if err != nil {
		m.t.Fatal(err)
	}
	defer g.Close()
	ids := map[string]bool{}
	err = g.Each(log, func(e index.Entry) error {
		ids[e.Record.ID()] = e.Vanished
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return ids
}

// wantHolds checks what the index has of a log: ids in the set, then reports that vanished.
func (m *machine) wantHolds(log string, set []records.Envelope, vanished ...records.Envelope) {
	m.t.Helper()
	want := map[string]bool{}
	for _, e := range set {
		want[idOf(e)] = false
	}
	for _, e := range vanished {
		want[idOf(e)] = true
	}
	if got := m.holds(log); !maps.Equal(got, want) {
		m.t.Errorf("the index holds %v, want %v", got, want)
	}
}

// edges is how many public follows the index has of a log.
func (m *machine) edges(log string) int {
	m.t.Helper()
	g, err := index.Open(m.opt.Index)
	if err != nil {
		m.t.Fatal(err)
	}
	defer g.Close()
	info, _, err := g.Log(log)
	if err != nil {
		m.t.Fatal(err)
	}
	return info.Edges
}
