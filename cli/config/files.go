package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/distributed-trust/distrust/records/durable"
)

// Load reads config.yml and sources.yml. Absent files mean the defaults and nobody followed. The
// files and their folder must be the user's alone (C7), else the error is a [*PermissionError].
func Load(d Dirs) (Config, []Source, error) {
	if err := CheckPermissions(d.Config); err != nil {
		return Config{}, nil, err
	}
	b, err := read(d.ConfigFile())
	if err != nil {
		return Config{}, nil, err
	}
	c, err := ParseConfig(d.ConfigFile(), b)
	if err != nil {
		return Config{}, nil, err
	}
	sources, err := LoadSources(d.SourcesFile())
	return c, sources, err
}

// LoadSources reads one sources.yml; an absent file means nobody.
func LoadSources(path string) ([]Source, error) {
	b, err := read(path)
	if err != nil {
		return nil, err
	}
	return ParseSources(path, b)
}

// LoadMachine reads state.yml; an absent file means that nothing was chosen yet.
func LoadMachine(d Dirs) (Machine, error) {
	if err := CheckPermissions(d.State); err != nil {
		return Machine{}, err
	}
	b, err := read(d.MachineFile())
	if err != nil {
		return Machine{}, err
	}
	return ParseMachine(d.MachineFile(), b)
}

// SaveMachine writes state.yml.
func SaveMachine(d Dirs, m Machine) error {
	text := "# Chosen on this machine; distrust writes this file.\n"
	for _, f := range []pair{{"key", m.Key}, {"home", m.Home}} {
		if f.text != "" {
			text += f.key + ": " + quoted(f.text) + "\n"
		}
	}
	if again, err := ParseMachine(d.MachineFile(), []byte(text)); err != nil || again != m {
		return fmt.Errorf("writing %s: a key or path that cannot be kept in it: %q", d.MachineFile(), m)
	}
	return write(d.MachineFile(), []byte(text))
}

// read gives the bytes of a file of ours, none when it is absent.
func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	if info.Size() > maxFile {
		return nil, &FileError{File: path, Reason: fmt.Sprintf("larger than %d bytes", maxFile)}
	}
	if err := CheckPermissions(path); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	return b, nil
}

// write replaces a file in one step, through a symbolic link, so that a link into somebody's
// dotfiles stays one (C7). A new file is the user's alone; an old one keeps its permissions.
func write(path string, b []byte) error {
	target, err := follow(path)
	if err != nil {
		return fmt.Errorf("writing settings: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return fmt.Errorf("writing settings: %w", err)
	}
	if err := durable.WriteFile(target, b, 0o600); err != nil {
		return fmt.Errorf("writing settings: %w", err)
	}
	return nil
}

// maxLinks is how many links in a row are followed, as systems do.
const maxLinks = 40

// follow goes along symbolic links to where a file lies or would lie; unlike
// [filepath.EvalSymlinks] it knows links to files that do not exist yet.
func follow(path string) (string, error) {
	for range maxLinks {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		if err != nil {
			return "", err
		}
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			// The folder may itself be reached over links, which .. in the target climbs out of.
			dir, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", err
			}
			target = filepath.Join(dir, target)
		}
		path = target
	}
	return "", fmt.Errorf("%s: too many symbolic links", path)
}
