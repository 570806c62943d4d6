package gitstore

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// manyPlaced is more files than are written one after the other, in several folders.
func manyPlaced() Change {
	c := Change{Write: map[string][]byte{}, Delete: []string{"records/any/01/file-0100.yml"}}
	for i := range manyFiles + 100 {
		c.Write[fmt.Sprintf("records/many/%02x/file-%04d.yml", i%7, i)] = fmt.Appendf(nil, "number %d\n", i)
	}
	return c
}

// TestManyFiles writes more files than are written one after the other: where one of them fails, or the
// process dies on the way, nothing is half done either.
func TestManyFiles(t *testing.T) {
	t.Parallel()
	dir := newRepo(t, trustFiles())
	was := status(t, dir)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}

	blocked := manyPlaced()
	blocked.Write["records/zz/file.yml"] = []byte("no folder can be made for it\n")
	writeTree(t, dir, map[string]string{"records/zz": "in the way\n"})
	if id, err := openWorktree(t, dir).Commit(t.Context(), blocked, "Fail", someone()); err == nil {
		t.Fatalf("committed %s", id)
	}
	if err := os.Remove(filepath.Join(dir, "records/zz")); err != nil {
		t.Fatal(err)
	}
	if is := status(t, dir); is != was {
		t.Errorf("after a failure, status:\n%s\nit was:\n%s", is, was)
	}

	cmd := exec.Command(self)
	cmd.Env = append(testkit.Env(), crashDir+"="+dir, crashAt+"=200", crashWhat+"=many")
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != crashCode {
		t.Fatalf("it was not killed: %v", err)
	}
	if is := status(t, dir); is == was {
		t.Error("killed before anything was written")
	}
	commitOne(t, openWorktree(t, dir), "keys/next.yml", "after\n")
	if is := status(t, dir); is != "" {
		t.Errorf("after a kill and another commit, status:\n%s", is)
	}
	for path, text := range manyPlaced().Write {
		if b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path))); err != nil || string(b) != string(text) {
			t.Errorf("%s: %q, %v", path, b, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "records/any/01/file-0100.yml")); err == nil {
		t.Error("what the commit deletes is there")
	}
	fsck(t, dir)
}
