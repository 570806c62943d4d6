package config

import (
	"context"
	"errors"
	"os"
	"runtime"
	"testing"
	"time"
)

func TestPermissions(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // no mode bits there
	}
	for _, tt := range []struct {
		name      string
		file, dir os.FileMode
		refused   bool
	}{
		{"private", 0o600, 0o700, false},
		{"readable", 0o644, 0o755, false},
		{"group-writable", 0o664, 0o775, false},
		{"world-writable file", 0o666, 0o755, true},
		{"world-writable folder", 0o644, 0o777, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := Dirs{Config: t.TempDir()}
			if err := os.WriteFile(d.SourcesFile(), []byte(full), 0o600); err != nil {
				t.Fatal(err)
			}
			for path, mode := range map[string]os.FileMode{d.SourcesFile(): tt.file, d.Config: tt.dir} {
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
			}
			_, sources, err := Load(d)
			var permission *PermissionError
			if refused := errors.As(err, &permission); refused != tt.refused {
				t.Errorf("Load: %v, want refused = %v", err, tt.refused)
			}
			if !tt.refused && len(sources) != 2 {
				t.Errorf("%d sources", len(sources))
			}
			err = EditSources(d, func(s []Source) ([]Source, error) { return s[:1], nil })
			if refused := errors.As(err, &permission); refused != tt.refused {
				t.Errorf("EditSources: %v, want refused = %v", err, tt.refused)
			}
		})
	}
}

func TestForeignOwner(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" || os.Geteuid() != 0 {
		return // only root can give files away
	}
	d := Dirs{Config: t.TempDir()}
	if err := os.WriteFile(d.ConfigFile(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(d.ConfigFile(), 12345, 12345); err != nil {
		t.Fatal(err)
	}
	_, _, err := Load(d)
	var permission *PermissionError
	if !errors.As(err, &permission) || !permission.Foreign {
		t.Errorf("a foreign config.yml gives %v", err)
	}
}

func TestMachine(t *testing.T) {
	t.Parallel()
	d := Dirs{State: t.TempDir() + "/new"}
	if m, err := LoadMachine(d); err != nil || m != (Machine{}) {
		t.Fatalf("before any choice: %+v, %v", m, err)
	}
	want := Machine{Key: `/home/ada/.ssh/a "key"`, Home: `C:\Users\ada`}
	if err := SaveMachine(d, want); err != nil {
		t.Fatal(err)
	}
	if got, err := LoadMachine(d); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if err := SaveMachine(d, Machine{Home: "/a\nb"}); err == nil {
		t.Error("a path that cannot be read back was written")
	}
	if got, err := LoadMachine(d); err != nil || got != want {
		t.Errorf("the refused write left %+v, %v", got, err)
	}
	if err := os.WriteFile(d.MachineFile(), make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadMachine(d); err == nil {
		t.Error("a file of a megabyte was read")
	}
}

func TestStamp(t *testing.T) {
	t.Parallel()
	d := Dirs{Config: t.TempDir()}
	seen := map[string]string{}
	look := func(after string) {
		t.Helper()
		stamp, err := Stamp(d)
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := seen[stamp]; ok {
			t.Errorf("the stamp after %q is that after %q", after, before)
		}
		seen[stamp] = after
		if again, err := Stamp(d); err != nil || again != stamp {
			t.Errorf("after %q two looks give %q and %q", after, stamp, again)
		}
	}
	look("nothing")
	if err := EditConfig(d, func(c *Config) { c.Publish = PublishAuto }); err != nil {
		t.Fatal(err)
	}
	look("a config")
	if err := EditConfig(d, func(c *Config) { c.Journal = false }); err != nil {
		t.Fatal(err)
	}
	look("an edit")
	if err := os.Chtimes(d.ConfigFile(), time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	look("another time")
}

func TestLock(t *testing.T) {
	t.Parallel()
	d := Dirs{State: t.TempDir() + "/new"}
	first, err := LockWriters(t.Context(), d, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, wait := range []time.Duration{0, 30 * time.Millisecond} {
		var locked *LockedError
		if _, err := LockWriters(t.Context(), d, wait); !errors.As(err, &locked) || locked.File != d.LockFile() {
			t.Errorf("a second lock after %v gives %v", wait, err)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := LockWriters(cancelled, d, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled wait gives %v", err)
	}
	if err := first.Unlock(); err != nil {
		t.Fatal(err)
	}
	second, err := LockWriters(t.Context(), d, 0)
	if err != nil {
		t.Fatalf("after unlocking: %v", err)
	}
	if err := second.Unlock(); err != nil {
		t.Error(err)
	}
}
