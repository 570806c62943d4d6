package home

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// The cache of the sealed state is believed only where the head vouches for it.
func TestCache(t *testing.T) {
	t.Parallel()
	h := newHome(t, laptop)
	var docs []schema.Record
	for i := range cacheFrom {
		docs = append(docs, trustDoc(fmt.Sprintf("f%02d", i)))
	}
	if _, err := h.Write(t.Context(), laptop, docs, optionsAt(1)); err != nil {
		t.Fatal(err)
	}
	good := readText(t, h.cacheFile())
	if good == "" {
		t.Fatal("no cache was written")
	}
	say(t, h, laptop, 2, "late")
	want := names(t, h)
	lines := strings.SplitN(good, "\n", 3)
	header, text := lines[1], lines[2]
	file := func(header, text string) string {
		return schema.RecordID([]byte(header)) + "\n" + header + "\n" + text
	}
	first := testkit.Git(t, h.Dir(), "rev-list", "--max-parents=0", "HEAD")
	for name, text := range map[string]string{
		"whole":               file(header, text),
		"another format":      file(strings.Replace(header, `"format":1`, `"format":2`, 1), text),
		"cut off":             file(header, text[:len(text)-10]),
		"a line less":         file(header, text[:strings.LastIndex(text[:len(text)-1], "\n")+1]),
		"other sums":          file(header, strings.Replace(text, "records/any/", "records/ane/", 1)),
		"an unknown commit":   file(strings.Replace(header, h.cached.commit, strings.Repeat("ab", 20), 1), text),
		"of the first commit": file(strings.Replace(header, h.cached.commit, first, 1), text),
		"another header":      strings.Replace(good, "late_since", "late_since_", 1),
		"zeros":               strings.Repeat("\x00", len(good)),
	} {
		if err := os.WriteFile(h.cacheFile(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		again := reopen(t, h)
		if fromCache := readText(t, again.cacheFile()) == text; fromCache != (name == "whole") {
			t.Errorf("%s: believed %v", name, fromCache)
		}
		if got := names(t, again); got != want || again.Head().ID() != h.Head().ID() {
			t.Errorf("%s: other records", name)
		}
	}
	// One that names other bytes under the root of the head is found when they are read.
	again := reopen(t, h)
	path := again.sealed.paths()[0]
	lie := again.sealed
	lie.sums = sums{}
	for p, sum := range again.sealed.sums {
		lie.sums[p] = sum
	}
	lie.sums[path] = [32]byte{1}
	again.sealed, again.opened = lie, nil
	if _, err := again.Records(t.Context()); !errors.Is(err, errOtherBytes) {
		t.Errorf("other bytes: %v", err)
	}
	if readText(t, again.cacheFile()) != "" {
		t.Error("the wrong cache is still there")
	}
}

// What git gc and a clone make of the repository changes nothing.
func TestPackedHome(t *testing.T) {
	t.Parallel()
	h := newHome(t, laptop)
	for i := range 5 {
		say(t, h, laptop, i, fmt.Sprint(i))
	}
	testkit.Git(t, h.Dir(), "gc", "-q", "--prune=now")
	say(t, h, laptop, 6, "5")
	h = reopen(t, h)
	wantNames(t, h, "0 1 2 3 4 5")
	stock(t, h)
}
