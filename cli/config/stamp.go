package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/distributed-trust/distrust/records/durable"
)

// Stamp says which config.yml and sources.yml lie there now, by size, time and inode (A2): as
// long as it is the same, a compiled configuration made from them still holds.
func Stamp(d Dirs) (string, error) {
	stamp := ""
	for _, path := range []string{d.ConfigFile(), d.SourcesFile()} {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			stamp += "absent;"
		case err != nil:
			return "", fmt.Errorf("looking at settings: %w", err)
		default:
			stamp += durable.Stamp(info) + ";"
		}
	}
	return stamp, nil
}
