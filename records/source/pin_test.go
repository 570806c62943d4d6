package source

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
)

func somePin(t testing.TB) *Pin {
	t.Helper()
	alice := newForge(t, "alice")
	yaml, sig := alice.head.Bytes()
	return &Pin{
		Format: pinFormat, Log: alice.log(), Name: "alice \u202e<&>", URL: alice.dir, Branch: "main",
		Tip: strings.Repeat("a", 40), Commit: strings.Repeat("b", 40), Head: string(yaml), Signature: string(sig),
		KeptHeads: []string{alice.head.ID()}, FirstSeen: testStart, Fetched: testNow,
		Refused: &Refused{At: testNow, Kind: "fork", Reason: "two heads"},
	}
}

func TestPinRoundTrip(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	pin := somePin(t)
	if err := WritePin(m.dirs, pin); err != nil {
		t.Fatal(err)
	}
	got := m.pin(pin.Log)
	if got.Name != pin.Name || got.Head != pin.Head || !got.Fetched.Equal(testNow) || got.Refused.Kind != "fork" || got.Tombstone() {
		t.Errorf("read %+v", got)
	}
	info, err := os.Stat(m.dirs.pin(pin.Log))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if doc, err := got.Doc(); err != nil || doc.Log != pin.Log {
		t.Errorf("its head: %v", err)
	}
	if entries, _ := os.ReadDir(m.dirs.pins()); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if _, err := ReadPin(m.dirs, "../"+pin.Log); err == nil || errors.Is(err, ErrNoPin) {
		t.Errorf("a path for a log id: %v", err)
	}
	pin.Head = "distrust: 1\n"
	if err := WritePin(m.dirs, pin); err == nil {
		t.Error("a pin was written that could not be read back")
	}
	if again := m.pin(pin.Log); again.Head != got.Head {
		t.Error("the pin that could not be written replaced the old one")
	}
}

// TestDamagedPin breaks a pin in every byte: each is found, none is taken for no pin.
func TestDamagedPin(t *testing.T) {
	t.Parallel()
	b, err := somePin(t).marshal()
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if _, err := parsePin(bad); err == nil {
			t.Fatalf("byte %d changed from %q to %q, and nobody saw it", i, b[i], bad[i])
		}
		if _, err := parsePin(b[:i]); err == nil {
			t.Fatalf("cut off after %d bytes, and nobody saw it", i)
		}
	}
}

// TestSyncWithDamagedPin: it is said, nothing is fetched into force, and the source is not taken for
// a new one.
func TestSyncWithDamagedPin(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	one := alice.say(reportFile("one"))
	alice.seal(nil)
	m := newMachine(t)
	spec := m.follow(alice)
	good := m.pin(spec.Log)
	for name, bad := range map[string]string{
		"empty": "", "cut off": `{"format": 1, "log": "`, "not JSON": "rubbish", "newer": `{"format": 2}`,
	} {
		if err := os.WriteFile(m.dirs.pin(spec.Log), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		var damage *PinError
		r := m.sync(spec)[0]
		if r.State != StateRefused || !errors.As(r.Err, &damage) || damage.File != m.dirs.pin(spec.Log) || KindOf(r.Err) != KindPin {
			t.Errorf("%s: %s: %v", name, r.State, r.Err)
		}
		// As a first contact, too: with the right key, but without the log's id.
		r = m.first(Spec{Name: "again", URL: alice.dir, Fingerprint: alice.key.Fingerprint()}, nil)
		if !errors.As(r.Err, &damage) {
			t.Errorf("%s, by first contact: %s: %v", name, r.State, r.Err)
		}
		if b, err := os.ReadFile(m.dirs.pin(spec.Log)); err != nil || string(b) != bad {
			t.Errorf("%s: the damaged pin was touched", name)
		}
		_, damaged, err := Pins(m.dirs)
		if err != nil || len(damaged) != 1 || damaged[0].Log != spec.Log {
			t.Errorf("%s: listed %v, %v", name, damaged, err)
		}
	}
	m.wantHolds(spec.Log, []records.Envelope{one})

	// A head whose signature does not verify is damage, too, whatever the sum says.
	forged := *good
	forged.Signature = strings.Replace(good.Signature, "A", "B", 3)
	if err := WritePin(m.dirs, &forged); err != nil {
		t.Fatal(err)
	}
	alice.say(trustFile("news"))
	alice.seal(nil)
	var damage *PinError
	if r := m.sync(spec)[0]; !errors.As(r.Err, &damage) {
		t.Errorf("a forged pin: %s: %v", r.State, r.Err)
	}
	if err := Forget(t.Context(), m.dirs, spec.Log, m.apply); err != nil {
		t.Errorf("forgetting a damaged pin: %v", err)
	}
	m.follow(alice)
}

func TestPinTimesAreWholeSeconds(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	m := newMachine(t)
	m.opt.Now = testNow.Add(123456789 * time.Nanosecond).In(time.FixedZone("far", 3*3600))
	spec := m.follow(alice)
	if got := m.pin(spec.Log).Fetched; !got.Equal(testNow) || got.Location() != time.UTC {
		t.Errorf("fetched %v", got)
	}
}

func FuzzPin(f *testing.F) {
	good, err := somePin(f).marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.Replace(good, []byte(`"tip"`), []byte(`"Tip"`), 1))
	f.Add(bytes.Replace(good, []byte("2026"), []byte("2027"), 1))
	f.Add([]byte(`{"format": 1}`))
	f.Add([]byte(`{"format": 1, "format": 1, "log": null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		pin, err := parsePin(b)
		if err != nil {
			return
		}
		again, err := pin.marshal()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("a pin was read that we would not write: %v", err)
		}
		if doc, err := pin.Doc(); err != nil || doc.Log != pin.Log {
			t.Errorf("a pin was read without its log's head: %v", err)
		}
	})
}
