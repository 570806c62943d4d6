package home

import (
	"errors"
	"io/fs"
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

func newPrivate(t *testing.T, key testkit.Key, homeKeys ...schema.Key) *Private {
	t.Helper()
	p, err := CreatePrivate(filepath.Join(t.TempDir(), "private"), key.Key(), homeKeys, zeros(3))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func listed(key testkit.Key, state schema.KeyState) schema.Key {
	return schema.Key{Key: key.Key().String(), Name: "k", State: state}
}

func (p *Private) again(t *testing.T, homeKeys ...schema.Key) *Private {
	t.Helper()
	again, err := OpenPrivate(p.Dir(), homeKeys)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func (p *Private) count(t *testing.T) (opened, skipped int) {
	t.Helper()
	all, err := p.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(all), len(p.Skipped())
}

func TestPrivate(t *testing.T) {
	t.Parallel()
	p := newPrivate(t, laptop)
	written, err := p.Write(t.Context(), laptop, []schema.Record{trustDoc("a"), reportDoc("a")}, nil, testOptions())
	if err != nil || len(written) != 2 || !written[1].Doc().Issued.After(written[0].Doc().Issued) {
		t.Fatalf("%v %v", written, err)
	}
	p = p.again(t)
	if opened, skipped := p.count(t); opened != 2 || skipped != 0 {
		t.Errorf("%d records, %d skipped", opened, skipped)
	}
	u, err := p.Update(t.Context(), nil)
	if err != nil || !u.Replace || len(u.Add) != 2 || !u.Head.IsZero() || u.Keys.ID != p.Log().ID {
		t.Errorf("%+v %v", u, err)
	}
	later, err := p.Write(t.Context(), laptop, []schema.Record{trustDoc("a")}, nil, testOptions())
	if err != nil || !later[0].Doc().Issued.After(written[1].Doc().Issued) {
		t.Errorf("%v %v", later, err)
	}
	// Every record is good for stock OpenSSH, too.
	testkit.Need(t, "ssh-keygen")
	signers := filepath.Join(t.TempDir(), "allowed")
	if err := os.WriteFile(signers, records.AllowedSignersFile(schema.Head{Log: p.Log().ID, Keys: p.Log().Keys}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, r := range later {
		out, err := testkit.Run(t, p.Dir(), r.Envelope().YAML, "ssh-keygen", "-Y", "verify", "-f", signers, "-I", p.Log().ID,
			"-n", "distrust/record/v1", "-s", records.SignaturePath(r.Path()))
		if err != nil {
			t.Errorf("ssh-keygen: %s", out)
		}
	}
	if _, err := CreatePrivate(p.Dir(), desktop.Key(), nil, zeros(4)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made over another: %v", err)
	}
}

// The chosen key and the home's may sign, in the states that the home gives them (F5).
func TestPrivateKeys(t *testing.T) {
	t.Parallel()
	p := newPrivate(t, laptop)
	write := func(p *Private, key testkit.Key) error {
		_, err := p.Write(t.Context(), key, []schema.Record{trustDoc("x")}, nil, testOptions())
		return err
	}
	if err := write(p, laptop); err != nil {
		t.Errorf("the chosen key: %v", err)
	}
	if err := write(p, desktop); !errors.Is(err, ErrNotYourKey) {
		t.Errorf("another key: %v", err)
	}
	both := []schema.Key{listed(desktop, schema.Active), listed(laptop, schema.Retired)}
	p = p.again(t, both...)
	if err := write(p, desktop); err != nil {
		t.Errorf("a key of the home: %v", err)
	}
	if err := write(p, laptop); !errors.Is(err, ErrNotYourKey) {
		t.Errorf("the chosen key, retired: %v", err)
	}
	if u, err := p.Update(t.Context(), nil); err != nil || len(u.Add) != 2 || u.Add[0].Void || u.Add[1].Void {
		t.Errorf("%+v %v", u, err)
	}
	both[1].State = schema.Compromised
	u, err := p.again(t, both...).Update(t.Context(), nil)
	if err != nil || len(u.Add) != 2 || u.Add[0].Void == u.Add[1].Void {
		t.Errorf("a compromised key's records are not void: %+v %v", u, err)
	}
	// Without the home's keys the other one's records are unknown, not lost.
	if opened, skipped := p.again(t).count(t); opened != 1 || skipped != 1 {
		t.Errorf("%d records, %d skipped", opened, skipped)
	}
}

// One bad file does not hide the others.
func TestPrivateSkipsAlone(t *testing.T) {
	t.Parallel()
	p := newPrivate(t, laptop)
	written, err := p.Write(t.Context(), laptop, []schema.Record{trustDoc("a"), trustDoc("b")}, nil, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	raw := openRaw(p.Dir())
	put(t, raw, "records/any/00/x.yml", "no: yaml: at all")
	put(t, raw, "records/any/00/long.yml", strings.Repeat("#\n", schema.MaxRecordBytes))
	put(t, raw, "records/any/00/.left", "by a writer that was killed")
	put(t, raw, "records/any/00/orphan.yml.sig", "by a writer that was killed")
	put(t, raw, written[1].Path(), string(written[1].Envelope().YAML)+"# edited\n")
	want := 3
	if err := os.Symlink("x.yml", filepath.Join(p.Dir(), "records/any/00/link.yml")); err == nil {
		want++
	}
	if opened, skipped := p.again(t).count(t); opened != 1 || skipped != want {
		t.Errorf("%d records, %d skipped, want 1 and %d", opened, skipped, want)
	}
}

func TestPrivateRefuses(t *testing.T) {
	t.Parallel()
	if _, err := OpenPrivate(filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, ErrNoHome) {
		t.Errorf("no folder: %v", err)
	}
	p := newPrivate(t, laptop)
	good := readText(t, filepath.Join(p.Dir(), privateFile))
	for name, text := range map[string]string{
		"empty":                   "",
		"another log id":          strings.Replace(good, p.Log().ID, strings.Repeat("ab", 16), 1),
		"another key":             strings.Replace(good, laptop.Key().String(), desktop.Key().String(), 1),
		"no key":                  strings.Replace(good, laptop.Key().String(), "ssh-ed25519 AAAA", 1),
		"another salt":            strings.Replace(good, "03030303", "04040404", 1),
		"a field of a new format": good + "more: \"x\"\n",
	} {
		if text == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		put(t, openRaw(p.Dir()), privateFile, text)
		if _, err := OpenPrivate(p.Dir(), nil); err == nil || errors.Is(err, ErrNoHome) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The private log follows the states of the home's keys, also of those that an epoch left out.
func TestPrivateFollowsTheKeys(t *testing.T) {
	t.Parallel()
	x := newTheft(t)
	dir := filepath.Join(t.TempDir(), "private")
	p, err := CreatePrivate(dir, laptop.Key(), x.own.Keys(), zeros(3))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"mine", "later"} {
		if _, err := p.Write(t.Context(), laptop, []schema.Record{trustDoc(name)}, nil, optionsAt(1+i*8)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.own.Renew(t.Context(), offline, "x", func(d *schema.Head) error {
		d.Epoch, d.Keys = d.Epoch+1, d.Keys[1:]
		return nil
	}, optionsAt(10)); err != nil {
		t.Fatal(err)
	}
	open := func() (counts []string) {
		if p, err = OpenPrivate(dir, x.own.Keys()); err != nil {
			t.Fatal(err)
		}
		all, err := p.Records(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if !p.Log().Void(r) {
				counts = append(counts, r.Doc().Subjects[0].File)
			}
		}
		return counts
	}
	if counts := open(); len(counts) != 0 {
		t.Errorf("%v count", counts)
	}
	if _, err := p.Write(t.Context(), laptop, []schema.Record{trustDoc("x")}, nil, optionsAt(11)); !errors.Is(err, ErrNotYourKey) {
		t.Errorf("the key that was left out signs: %v", err)
	}
	for range 2 { // the second time changes nothing
		if n, err := p.SignAgain(t.Context(), desktop, laptop.Key(), testNow.Add(5*time.Minute)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if counts := open(); !slices.Equal(counts, []string{"mine"}) {
			t.Errorf("%v count", counts)
		}
	}
}
