package index

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/distributed-trust/distrust/records/index/internal/codec"
	"github.com/distributed-trust/distrust/records/index/internal/postings"
	"github.com/distributed-trust/distrust/records/trust"
)

// formerConfig is a configuration as it was kept before it had a version.
func formerConfig(stamp, json string) []byte {
	var e codec.Encoder
	e.Text(stamp)
	return append(e.B, json...)
}

// randomConfig is any configuration, sensible or not.
func randomConfig(r *rand.Rand) Config {
	number := func() int { return r.IntN(1<<r.IntN(16)) - r.IntN(2) }
	texts := func() (list []string) {
		for range r.IntN(3) {
			list = append(list, fmt.Sprintf("pkg:\x00%d", number()))
		}
		return list
	}
	c := Config{
		Stamp: fmt.Sprint("stamp ", number()), Policy: trust.Policy{Trust: number(), Block: number()},
		Journal: r.IntN(2) == 0, Own: texts(),
	}
	for i := range r.IntN(4) {
		c.Follows = append(c.Follows, trust.Follow{
			Name: fmt.Sprint("n", i), Log: fmt.Sprintf("%032x", number()), Weight: number(), Depth: number(), ViaMax: number(),
			Scopes: texts(), Expires: int64(number()) << 8,
		})
	}
	return c
}

// TestConfigForm: what is read is what was written, and of no part of it, nor of more, is anything read.
func TestConfigForm(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 1))
	for range 300 {
		want := randomConfig(r)
		b := encodeConfig(want)
		have, err := decodeConfig(b)
		if err != nil || !reflect.DeepEqual(have, want) || !have.Equal(want) {
			t.Fatalf("%+v became %+v, %v", want, have, err)
		}
		if changed := randomConfig(r); changed.Equal(want) {
			t.Fatalf("%+v is taken for %+v", changed, want)
		}
		for n := range b {
			if c, err := decodeConfig(b[:n]); err == nil {
				t.Fatalf("%d of %d bytes are read as %+v", n, len(b), c)
			}
		}
		if c, err := decodeConfig(append(b, 0)); err == nil {
			t.Fatalf("a byte more is read as %+v", c)
		}
		want.Policy.Block += 1 << 16
		if c, err := decodeConfig(encodeConfig(want)); err == nil {
			t.Fatalf("a bar out of all bounds is read as %+v", c)
		}
	}
}

// TestConfigOfOtherVersions: a configuration in the form of another version of the program is as good as
// none, but whose word is the user's own is not forgotten over that, and the next writer replaces it.
func TestConfigOfOtherVersions(t *testing.T) {
	t.Parallel()
	d, alice := testDir(t), newLog(t, "alice")
	apply(t, d, alice.update(alice.entry(trusted("a", "a"))))
	own := []string{alice.id(), "private"}
	replaceConfig(t, d, formerConfig("stamp", `{"policy":{"Trust":7},"follows":[{"Name":"x"}],"own":["`+own[0]+`","private"]}`))
	for range 2 { // the second time it was carried over
		have, err := open(t, d).Config()
		if err != nil || !have.IsZero() || !reflect.DeepEqual(have, Config{Own: own}) {
			t.Fatalf("Config: %+v %v", have, err)
		}
		apply(t, d, alice.update(alice.entry(trusted("b", "b"))))
	}
	want := Config{Stamp: "stamp", Policy: trust.DefaultPolicy(), Own: own}
	if err := Apply(context.Background(), d, nil, want); err != nil {
		t.Fatal(err)
	}
	if have, err := open(t, d).Config(); err != nil || !have.Equal(want) {
		t.Fatalf("Config: %+v %v", have, err)
	}
	later := encodeConfig(want)
	later[slices.Index(later, configVersion)]++
	replaceConfig(t, d, later)
	if have, err := open(t, d).Config(); err != nil || !reflect.DeepEqual(have, Config{}) {
		t.Fatalf("Config of a later version: %+v %v", have, err)
	}
}

// replaceConfig writes a generation that differs from the one in force in its configuration only.
func replaceConfig(t *testing.T, d Dir, config []byte) {
	t.Helper()
	w, err := Begin(d)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	cur := current{generationFile: generationFile{number: w.number}}
	path := filepath.Join(d.Cache, cur.name())
	change, err := w.change()
	if err != nil {
		t.Fatal(err)
	}
	change.Keep = func(uint64) bool { return true } // all in one file
	b, err := postings.Build(path, w.number, w.prev.file, change)
	if err == nil {
		err = b.Finish(func(v *postings.Values) error {
			if err := w.putValues(v, Config{}); err != nil {
				return err
			}
			return v.Put(valueID(valueConfig), config)
		})
		b.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if cur.size, err = syncedSize(path); err == nil {
		err = d.writeCurrent(cur, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}
