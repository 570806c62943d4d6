package main

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// makers is the code that makes what is measured. When it changes, what it made is made again.
//
//go:embed people.go repositories.go machines.go openpgp.go scale.go
var makers embed.FS

// keptIn is the folder where what this code makes, in this size, is kept. Those of earlier code are
// removed.
func keptIn(cache, size string) (string, error) {
	hash := sha256.New()
	entries, err := makers.ReadDir(".")
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		b, err := makers.ReadFile(e.Name())
		if err != nil {
			return "", err
		}
		hash.Write(b)
	}
	name := size + "-" + hex.EncodeToString(hash.Sum(nil))[:12]
	old, err := filepath.Glob(filepath.Join(cache, size+"-*"))
	if err != nil {
		return "", err
	}
	for _, dir := range old {
		info, err := os.Stat(dir)
		// Heads live for 400 days: what was made long ago goes before they are stale.
		if filepath.Base(dir) == name && err == nil && time.Since(info.ModTime()) < 300*24*time.Hour {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
	}
	dir := filepath.Join(cache, name)
	return dir, os.MkdirAll(dir, 0o700)
}

// kept gives the place of something that is kept between runs, and has it made where it is missing or
// was not finished.
func (b *bench) kept(name string, make func(dir string) error) (string, error) {
	dir := filepath.Join(b.dir, name)
	made := dir + ".made"
	if _, err := os.Stat(made); err == nil {
		return dir, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return "", err
	}
	start := time.Now()
	if err := make(dir); err != nil {
		return "", fmt.Errorf("making %s: %w", name, err)
	}
	b.made = true
	if took := time.Since(start); took > time.Second {
		fmt.Fprintf(b.progress, "     made %s in %.0f s\n", name, took.Seconds())
	}
	return dir, os.WriteFile(made, nil, 0o600)
}

// fresh is an empty folder of this run.
func (b *bench) fresh(name string) (string, error) {
	dir := filepath.Join(b.dir, "run", name)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}
