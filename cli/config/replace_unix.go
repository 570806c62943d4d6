//go:build !windows

package config

import (
	"path/filepath"

	"github.com/google/renameio/v2"
)

// replace writes a file beside its target, makes it durable and renames it over the target.
func replace(target string, b []byte) error {
	return renameio.WriteFile(target, b, 0o600, renameio.WithTempDir(filepath.Dir(target)))
}
