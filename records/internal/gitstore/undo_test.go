package gitstore

import (
	"os"
	"path/filepath"
	"testing"
)

// A step that fails on the way leaves the work tree as it was, what nobody had committed included, and
// the next one finds nothing in its way.
func TestFailedCommitIsTakenBack(t *testing.T) {
	t.Parallel()
	dir := newRepo(t, map[string]string{"head.yml": "one\n", "records/old.yml": "old\n", "records/edited.yml": "sealed\n"})
	w := openWorktree(t, dir)
	before := map[string]string{
		"head.yml": "one\n", "records/old.yml": "old\n", "records/edited.yml": "by hand\n", "records/new.yml": "", "zz": "in the way\n",
	}
	writeTree(t, dir, map[string]string{"records/edited.yml": "by hand\n", "zz": "in the way\n"})
	if err := os.Symlink("head.yml", filepath.Join(dir, "link.yml")); err != nil {
		t.Fatal(err)
	}
	at, err := w.Head()
	if err != nil {
		t.Fatal(err)
	}
	was := status(t, dir)
	change := Change{
		Write: map[string][]byte{
			"head.yml": []byte("two\n"), "records/edited.yml": []byte("signed\n"), "records/new.yml": []byte("new\n"),
			"link.yml": []byte("a file\n"), "zz/file": []byte("no folder can be made for it\n"),
		},
		Delete: []string{"records/old.yml"},
	}
	if id, err := w.Commit(t.Context(), change, "Fail", someone()); err == nil {
		t.Fatalf("committed %s", id)
	}
	for path, text := range before {
		b, err := os.ReadFile(filepath.Join(dir, path))
		if string(b) != text || (err == nil) == (text == "") {
			t.Errorf("%s: %q, %v; it was %q", path, b, err, text)
		}
	}
	if to, err := os.Readlink(filepath.Join(dir, "link.yml")); err != nil || to != "head.yml" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if now, err := w.Head(); err != nil || now != at {
		t.Errorf("HEAD is %+v, %v", now, err)
	}
	if is := status(t, dir); is != was {
		t.Errorf("status:\n%s\nit was:\n%s", is, was)
	}
	delete(change.Write, "zz/file")
	if _, err := w.Commit(t.Context(), change, "Go through", someone()); err != nil {
		t.Fatal(err)
	}
	fsck(t, dir)
}
