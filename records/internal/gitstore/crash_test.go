package gitstore

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

const (
	crashDir  = "GITSTORE_CRASH_DIR"
	crashAt   = "GITSTORE_CRASH_AT"
	crashWhat = "GITSTORE_CRASH_WHAT"
	crashCode = 99
)

// TestMain makes the test binary its own victim: a process that ends, without
// any clean-up, between two changes of files.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		os.Exit(crash(dir, os.Getenv(crashAt), os.Getenv(crashWhat)))
	}
	if url := os.Getenv(fetchVariable); url != "" {
		if err := fetchAndMeasure(url); err != nil {
			panic(err)
		}
		return
	}
	var err error
	if template.parent, err = os.MkdirTemp("", "gitstore"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(template.parent)
	os.Exit(code)
}

// crashChange is what the victim does. It writes, adds and deletes.
func crashChange() Change {
	return Change{
		Write:  map[string][]byte{"head.yml": []byte("sealed\n"), "records/new/0a/file-0a.yml": []byte("new\n")},
		Delete: []string{"records/any/01/file-0100.yml"},
	}
}

func crash(dir, at, what string) int {
	w, err := OpenWorktree(dir)
	if err != nil {
		return 1
	}
	left, err := strconv.Atoi(at)
	if err != nil {
		return 1
	}
	w.between = func() {
		if left--; left == 0 {
			os.Exit(crashCode)
		}
	}
	switch what {
	default: // one of several writers
		_, err = w.Commit(context.Background(), Change{Write: map[string][]byte{what: []byte(what)}}, what, someone())
	case "commit":
		_, err = w.Commit(context.Background(), crashChange(), "victim", someone())
	case "many":
		_, err = w.Commit(context.Background(), manyPlaced(), "victim", someone())
	case "reset":
		var head []byte
		if head, err = os.ReadFile(filepath.Join(dir, ".git/refs/heads/target")); err == nil {
			err = w.Reset(context.Background(), strings.TrimSpace(string(head)))
		}
	}
	if err != nil {
		return 1
	}
	return 0
}

// Killed anywhere, the next commit finishes what was begun: nothing is half
// done, nothing is lost, nothing is left lying about.
func TestKillAnywhere(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for what, kinds := range map[string][]int{"commit": {0}, "reset": {2}} {
		for _, kind := range kinds {
			t.Run(what+" with index "+indexKinds[kind].name, func(t *testing.T) {
				t.Parallel()
				template := newRepo(t, trustFiles())
				indexKinds[kind].make(t, template)
				if what == "reset" {
					testkit.Git(t, template, "checkout", "-q", "-b", "target")
					w := openWorktree(t, template)
					if _, err := w.Commit(t.Context(), crashChange(), "target", someone()); err != nil {
						t.Fatal(err)
					}
					testkit.Git(t, template, "checkout", "-q", "main")
				}
				for at := 1; ; at++ {
					dir := filepath.Join(t.TempDir(), "repo")
					if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
						t.Fatal(err)
					}
					cmd := exec.Command(self)
					cmd.Env = append(testkit.Env(), crashDir+"="+dir, crashAt+"="+strconv.Itoa(at), crashWhat+"="+what)
					err := cmd.Run()
					var exit *exec.ExitError
					if err == nil {
						if at < 9 {
							t.Fatalf("only %d places to be killed at", at)
						}
						break
					}
					if !errors.As(err, &exit) || exit.ExitCode() != crashCode {
						t.Fatalf("the victim failed by itself: %v", err)
					}
					checkMended(t, dir, at)
					if at%3 == 0 {
						fsck(t, dir)
					}
				}
			})
		}
	}
}

// What the user wrote after the kill is not overwritten by finishing the step.
func TestKillAndEdit(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"3", "8"} {
		dir := newRepo(t, trustFiles())
		cmd := exec.Command(self)
		cmd.Env = append(testkit.Env(), crashDir+"="+dir, crashAt+"="+at, crashWhat+"=commit")
		if err := cmd.Run(); err == nil {
			t.Fatal("it was not killed")
		}
		writeTree(t, dir, map[string]string{"head.yml": "the user's\n"})
		commitOne(t, openWorktree(t, dir), "keys/next.yml", "after\n")
		if s := status(t, dir); s != " M head.yml" {
			t.Errorf("killed at %s, status:\n%s", at, s)
		}
		if b, err := os.ReadFile(filepath.Join(dir, "head.yml")); string(b) != "the user's\n" || err != nil {
			t.Errorf("killed at %s, the file is %q, %v", at, b, err)
		}
	}
}

func checkMended(t *testing.T, dir string, at int) {
	t.Helper()
	w := openWorktree(t, dir)
	id := commitOne(t, w, "keys/next.yml", "after\n")
	if s := status(t, dir); s != "" {
		t.Errorf("killed at %d, status:\n%s", at, s)
	}
	if now, err := w.Head(); err != nil || now.Commit != id {
		t.Errorf("killed at %d, HEAD is %+v, %v", at, now, err)
	}
	// The step was made as a whole or not at all, and from where it was written
	// down it was made.
	head, err := os.ReadFile(filepath.Join(dir, "head.yml"))
	if err != nil {
		t.Fatal(err)
	}
	made := string(head) == "sealed\n"
	if exists(filepath.Join(dir, "records/new/0a/file-0a.yml")) != made || exists(filepath.Join(dir, "records/any/01/file-0100.yml")) == made {
		t.Errorf("killed at %d, half of it was made", at)
	}
	if want := at > 2; made != want {
		t.Errorf("killed at %d, made: %v", at, made)
	}
	for _, pattern := range []string{".git/*.lock", ".git/distrust-*", ".git/refs/heads/*.lock", ".*.distrust", "*/*/*/.*.distrust"} {
		if left, err := filepath.Glob(filepath.Join(dir, pattern)); err != nil || len(left) > 0 {
			t.Errorf("killed at %d, left: %v %v", at, left, err)
		}
	}
}
