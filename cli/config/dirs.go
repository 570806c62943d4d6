// Package config knows where the files of distrust lie on this machine and what the user wrote
// into them.
//
// It speaks the folders of the XDG Base Directory specification, each overridable (C7), and
// three YAML documents: config.yml (policy, publish, journal), sources.yml (who is followed,
// and how far) and the machine's own state.yml (chosen key and home). They are read strictly,
// with file and line in every message; edits keep the user's comments and layout.
package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Dirs are our four folders (C7). All are absolute.
type Dirs struct {
	Config string // config.yml, sources.yml: the user's, shared between machines
	Data   string // home, private, sources, keys: cannot be rebuilt
	State  string // chosen key and home, pins, journal, alarms, lock: of this machine
	Cache  string // index: can be deleted at any time
}

// ErrNoUserHome says that neither a home folder nor all four overrides are known.
var ErrNoUserHome = errors.New("no home folder is known: HOME is not set")

// DirError says that an environment variable names a folder that cannot be meant.
type DirError struct {
	Variable string
	Value    string
}

// Error names the variable and what it holds.
func (e *DirError) Error() string {
	return fmt.Sprintf("%s must be an absolute path, and it is %q", e.Variable, e.Value)
}

// FolderError says that nothing can be kept in one of our folders: it cannot be made or written.
type FolderError struct {
	Path string
	Err  error
}

// Error names the folder and what is wrong with it.
func (e *FolderError) Error() string {
	return fmt.Sprintf("nothing can be kept in %s: %v", e.Path, e.Err)
}

// Unwrap is what the system said.
func (e *FolderError) Unwrap() error { return e.Err }

// Usable says whether the four folders are there or may be made: nothing on the way to them is a
// file. The error is a [*FolderError].
func (d Dirs) Usable() error {
	for _, dir := range []string{d.Config, d.Data, d.State, d.Cache} {
		if _, err := os.Stat(dir); errors.Is(err, syscall.ENOTDIR) {
			return &FolderError{Path: dir, Err: err}
		}
	}
	return nil
}

// Locate finds the four folders: DISTRUST_*_DIR, else the XDG variable with /distrust, else the
// default below the user's home folder (C7). A relative XDG variable is ignored, as its
// specification demands; a relative override of ours is a [*DirError]. userHome is only called
// when it is needed.
func Locate(getenv func(string) string, userHome func() (string, error)) (Dirs, error) {
	var dirs Dirs
	places := []struct {
		dir           *string
		override, xdg string
		fallback      []string
	}{
		{&dirs.Config, "DISTRUST_CONFIG_DIR", "XDG_CONFIG_HOME", []string{".config"}},
		{&dirs.Data, "DISTRUST_DATA_DIR", "XDG_DATA_HOME", []string{".local", "share"}},
		{&dirs.State, "DISTRUST_STATE_DIR", "XDG_STATE_HOME", []string{".local", "state"}},
		{&dirs.Cache, "DISTRUST_CACHE_DIR", "XDG_CACHE_HOME", []string{".cache"}},
	}
	for _, place := range places {
		if own := getenv(place.override); own != "" {
			if !filepath.IsAbs(own) {
				return Dirs{}, &DirError{Variable: place.override, Value: own}
			}
			*place.dir = filepath.Clean(own)
			continue
		}
		if base := getenv(place.xdg); filepath.IsAbs(base) {
			*place.dir = filepath.Join(base, "distrust")
			continue
		}
		home, err := userHome()
		if err != nil || !filepath.IsAbs(home) {
			return Dirs{}, ErrNoUserHome
		}
		parts := append([]string{home}, place.fallback...)
		*place.dir = filepath.Join(append(parts, "distrust")...)
	}
	return dirs, nil
}

// ConfigFile is config.yml.
func (d Dirs) ConfigFile() string { return filepath.Join(d.Config, "config.yml") }

// SourcesFile is sources.yml.
func (d Dirs) SourcesFile() string { return filepath.Join(d.Config, "sources.yml") }

// Home is where the user's own repository lies unless [Machine.Home] says otherwise.
func (d Dirs) Home() string { return filepath.Join(d.Data, "home") }

// Private is the folder of the records that are never published.
func (d Dirs) Private() string { return filepath.Join(d.Data, "private") }

// Sources holds the record stores and git stores of the followed sources.
func (d Dirs) Sources() string { return filepath.Join(d.Data, "sources") }

// Keys holds keys that we made.
func (d Dirs) Keys() string { return filepath.Join(d.Data, "keys") }

// MachineFile is state.yml: what was chosen on this machine.
func (d Dirs) MachineFile() string { return filepath.Join(d.State, "state.yml") }

// Pins holds what was last accepted of each source.
func (d Dirs) Pins() string { return filepath.Join(d.State, "pins") }

// Journal is the file that remembers what this machine accepted.
func (d Dirs) Journal() string { return filepath.Join(d.State, "journal") }

// Alarms is the file of open and closed alarms.
func (d Dirs) Alarms() string { return filepath.Join(d.State, "alarms") }

// LockFile is what writers lock.
func (d Dirs) LockFile() string { return filepath.Join(d.State, "lock") }
