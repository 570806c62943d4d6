package home

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/distributed-trust/distrust/schema"
)

// template is a folder of repositories, in memory. Most of the time of many tests would go into
// making what they begin with.
type template struct {
	files fstest.MapFS
	err   error
}

// copyOf writes a template into a new folder.
func copyOf(t testing.TB, made func() template) string {
	t.Helper()
	template := made()
	if template.err != nil {
		t.Fatal(template.err)
	}
	dir := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(dir, template.files); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newTemplate keeps what do makes in a folder.
func newTemplate(do func(ctx context.Context, dir string) error) template {
	dir, err := os.MkdirTemp("", "distrust-home")
	if err != nil {
		return template{err: err}
	}
	defer os.RemoveAll(dir)
	if err := do(context.Background(), dir); err != nil {
		return template{err: err}
	}
	files := fstest.MapFS{}
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() { // empty ones make a repository, too
			files[path] = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
			return nil
		}
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		files[path] = &fstest.MapFile{Data: b, Mode: 0o644}
		return err
	})
	return template{files: files, err: err}
}

// handTemplate is a home of two keys with three records, one of them of the desktop.
var handTemplate = sync.OnceValue(func() template {
	return newTemplate(func(ctx context.Context, dir string) error {
		h, err := Create(ctx, filepath.Join(dir, "home"), laptop, Profile{Name: "Me"}, zeros(1), testOptions())
		if err != nil {
			return err
		}
		defer h.Close()
		if _, err := h.AddKey(ctx, laptop, desktop.Key(), "d", false, optionsAt(1)); err != nil {
			return err
		}
		for i, name := range []string{"one", "two", "other"} {
			key := laptop
			if name == "other" {
				key = desktop
			}
			if _, err := h.Write(ctx, key, []schema.Record{trustDoc(name)}, optionsAt(2+i)); err != nil {
				return err
			}
		}
		return nil
	})
})

// twoTemplate is a remote with a log of two keys, the home that published it, and a second home
// that joined.
var twoTemplate = sync.OnceValue(func() template {
	return newTemplate(func(ctx context.Context, dir string) error {
		remote := filepath.Join(dir, "remote.git")
		if _, err := MakeRemote(remote); err != nil {
			return err
		}
		a, err := Create(ctx, filepath.Join(dir, "a"), laptop, Profile{Name: "Me"}, zeros(1), testOptions())
		if err != nil {
			return err
		}
		defer a.Close()
		_, addErr := a.AddKey(ctx, laptop, desktop.Key(), "desktop", false, optionsAt(1))
		setErr := a.SetRemote(remote)
		_, syncErr := a.Sync(ctx, syncOptions(laptop, 2))
		if err := errors.Join(addErr, setErr, syncErr); err != nil {
			return err
		}
		b, err := Join(ctx, filepath.Join(dir, "b"), remote, remoteAccess(), optionsAt(3).Now)
		if err != nil {
			return err
		}
		return b.Close()
	})
})
