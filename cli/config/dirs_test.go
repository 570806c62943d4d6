package config

import (
	"errors"
	"path/filepath"
	"testing"
)

func TestLocate(t *testing.T) {
	t.Parallel()
	home := func() (string, error) { return "/home/ada", nil }
	none := func() (string, error) { return "", errors.New("HOME is not set") }
	overrides := map[string]string{
		"DISTRUST_CONFIG_DIR": "/o/c", "DISTRUST_DATA_DIR": "/o/d/",
		"DISTRUST_STATE_DIR": "/o/s", "DISTRUST_CACHE_DIR": "/o/k",
	}
	tests := []struct {
		name string
		env  map[string]string
		home func() (string, error)
		want Dirs
		err  error
	}{
		{name: "defaults", home: home, want: Dirs{
			Config: "/home/ada/.config/distrust", Data: "/home/ada/.local/share/distrust",
			State: "/home/ada/.local/state/distrust", Cache: "/home/ada/.cache/distrust",
		}},
		{name: "xdg", home: home, env: map[string]string{"XDG_CONFIG_HOME": "/x", "XDG_CACHE_HOME": "relative/is/ignored"}, want: Dirs{
			Config: "/x/distrust", Data: "/home/ada/.local/share/distrust",
			State: "/home/ada/.local/state/distrust", Cache: "/home/ada/.cache/distrust",
		}},
		{name: "overrides need no home", home: none, env: overrides, want: Dirs{Config: "/o/c", Data: "/o/d", State: "/o/s", Cache: "/o/k"}},
		{name: "no home", home: none, err: ErrNoUserHome},
		{name: "relative override", home: home, env: map[string]string{"DISTRUST_DATA_DIR": "data"}, err: &DirError{"DISTRUST_DATA_DIR", "data"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Locate(func(name string) string { return tt.env[name] }, tt.home)
			var dir, wantDir *DirError
			switch {
			case errors.As(tt.err, &wantDir):
				if !errors.As(err, &dir) || *dir != *wantDir {
					t.Fatalf("error %v, want %v", err, tt.err)
				}
			case !errors.Is(err, tt.err):
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestPlaces keeps every file of ours below the folder that C7 names for it.
func TestPlaces(t *testing.T) {
	t.Parallel()
	d := Dirs{Config: "/c", Data: "/d", State: "/s", Cache: "/k"}
	for got, folder := range map[string]string{
		d.ConfigFile(): "/c", d.SourcesFile(): "/c",
		d.Home(): "/d", d.Private(): "/d", d.Sources(): "/d", d.Keys(): "/d",
		d.MachineFile(): "/s", d.Pins(): "/s", d.Journal(): "/s", d.Alarms(): "/s", d.LockFile(): "/s",
	} {
		if filepath.Dir(got) != folder {
			t.Errorf("%s does not lie in %s", got, folder)
		}
	}
}
