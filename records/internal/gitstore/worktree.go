package gitstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/config"
)

// Worktree is the user's own repository: an ordinary one, which the user and
// their git change as they like. No hook of it runs, and nothing that its
// configuration names, but where Git has to help: see there.
type Worktree struct {
	repository
	places
	dir string

	// Git is the git command, used only for an index of a kind that go-git
	// cannot write; empty: the one in PATH. It may run the clean filters that
	// the user configured, as every git status does.
	Git string

	between func() // tests end the process here, between two changes of files
}

// Head is where a repository stands. Without a commit the branch is unborn.
type Head struct{ Commit, Branch string }

// InitWorktree makes a repository in a folder, which may hold files already,
// on a branch of that name; empty: main.
func InitWorktree(dir, branch string) (*Worktree, error) {
	git := filepath.Join(dir, ".git")
	if exists(git) {
		return nil, fmt.Errorf("making a repository: %s is there already", git)
	}
	if branch == "" {
		branch = "main"
	}
	if err := makeGitFolder(git, branch, false); err != nil {
		return nil, err
	}
	return OpenWorktree(dir)
}

// InitBare makes an empty bare repository in dir, whose parent has to exist, when nothing is
// there yet. made is false when something is there already, whatever it is.
func InitBare(dir, branch string) (made bool, err error) {
	if !branchName(branch) {
		return false, fmt.Errorf("making a repository: branch %q: not a name for a branch", clip(branch))
	}
	if err := os.Mkdir(dir, 0o755); errors.Is(err, fs.ErrExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("making a repository: %w", err)
	}
	return true, makeGitFolder(dir, branch, true)
}

// makeGitFolder writes what git expects of an empty repository.
func makeGitFolder(dir, branch string, bare bool) error {
	if !branchName(branch) {
		return fmt.Errorf("making a repository: branch %q: not a name for a branch", clip(branch))
	}
	for _, d := range []string{"objects/pack", "objects/info", "refs/heads", "refs/tags"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(d)), 0o755); err != nil {
			return fmt.Errorf("making a repository: %w", err)
		}
	}
	config := fmt.Sprintf("[core]\n\trepositoryformatversion = 0\n\tfilemode = %v\n\tbare = %v\n", locksEnd, bare)
	if !bare {
		config += "\tlogallrefupdates = true\n"
	}
	for _, f := range []struct{ name, text string }{
		{"config", config},
		{"HEAD", "ref: refs/heads/" + branch + "\n"}, // last: it makes the folder a repository
	} {
		if err := writeFile(filepath.Join(dir, f.name), []byte(f.text), 0o644); err != nil {
			return fmt.Errorf("making a repository: %w", err)
		}
	}
	return nil
}

// OpenWorktree opens the repository whose work tree is that very folder.
func OpenWorktree(dir string) (*Worktree, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening a repository: %w", err)
	}
	p, err := findRepository(dir)
	if err == nil {
		err = p.checkFormat()
	}
	if err == nil && p.bare {
		err = fmt.Errorf("%s has no work tree: %w", dir, ErrUnsupported)
	}
	if err != nil {
		return nil, fmt.Errorf("opening a repository: %w", err)
	}
	w := &Worktree{dir: dir, places: p, between: func() {}}
	if err := w.open(p.common); err != nil {
		return nil, fmt.Errorf("opening a repository: %w", err)
	}
	return w, nil
}

// GitDir is the folder that git itself keeps: where its files about this work tree lie.
func (w *Worktree) GitDir() string { return w.gitDir }

// Dir is the folder of the work tree.
func (w *Worktree) Dir() string { return w.dir }

// Head says where the work tree stands. On no branch it gives the commit and
// ErrDetached.
func (w *Worktree) Head() (Head, error) {
	branch, h, err := w.head()
	at := Head{Branch: branch}
	if !h.IsZero() {
		at.Commit = h.String()
	}
	return at, err
}

func (p places) head() (branch string, at plumbing.Hash, err error) {
	b, err := os.ReadFile(filepath.Join(p.gitDir, "HEAD"))
	if err != nil {
		return "", at, fmt.Errorf("reading HEAD: %w", err)
	}
	text := strings.TrimSpace(string(b))
	ref, ok := strings.CutPrefix(text, "ref: ")
	if !ok {
		if at, err = parseID(text); err != nil {
			return "", at, fmt.Errorf("reading HEAD: %w", err)
		}
		return "", at, ErrDetached
	}
	branch, ok = strings.CutPrefix(strings.TrimSpace(ref), "refs/heads/")
	if !ok || !branchName(branch) {
		return "", at, fmt.Errorf("reading HEAD: %q: %w", clip(ref), ErrUnsupported)
	}
	at, err = readRef(p.common, "refs/heads/"+branch)
	return branch, at, err
}

// Busy says what is under way in the repository (ErrBusy), or gives nil.
func (w *Worktree) Busy() error {
	for _, sign := range []struct{ file, what string }{
		{"MERGE_HEAD", "a merge"},
		{"rebase-merge", "a rebase"},
		{"rebase-apply", "a rebase, or git am"},
		{"CHERRY_PICK_HEAD", "a cherry-pick"},
		{"REVERT_HEAD", "a revert"},
		{"BISECT_LOG", "a bisection"},
	} {
		if exists(filepath.Join(w.gitDir, sign.file)) {
			return fmt.Errorf("%w: %s", ErrBusy, sign.what)
		}
	}
	return nil
}

// config reads the repository's own configuration.
func (p places) config() (*config.Config, error) {
	b, err := os.ReadFile(filepath.Join(p.common, "config"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	c := config.New()
	if err := config.NewDecoder(bytes.NewReader(b)).Decode(c); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return c, nil
}

// checkFormat refuses the kinds of repositories that would be misread:
// SHA-256, references in tables, a work tree elsewhere.
func (p places) checkFormat() error {
	c, err := p.config()
	if err != nil {
		return err
	}
	core, extensions := c.Section("core"), c.Section("extensions")
	if v := core.Option("repositoryformatversion"); v != "" && v != "0" && v != "1" {
		return fmt.Errorf("%w: format version %q", ErrUnsupported, clip(v))
	}
	if core.Option("worktree") != "" {
		return fmt.Errorf("%w: core.worktree is set", ErrUnsupported)
	}
	for _, o := range extensions.Options {
		value := strings.ToLower(o.Value)
		switch strings.ToLower(o.Key) {
		case "noop", "preciousobjects", "worktreeconfig", "relativeworktrees":
		case "objectformat":
			if value != "sha1" {
				return fmt.Errorf("%w: objects named by %q", ErrUnsupported, clip(value))
			}
		case "refstorage":
			if value != "files" {
				return fmt.Errorf("%w: references kept as %q", ErrUnsupported, clip(value))
			}
		default:
			return fmt.Errorf("%w: extension %q", ErrUnsupported, clip(o.Key))
		}
	}
	return nil
}

// RemoteURL gives the URL of the remote named origin, or nothing.
func (w *Worktree) RemoteURL() (string, error) {
	c, err := w.config()
	if err != nil {
		return "", err
	}
	return c.Section("remote").Subsection("origin").Option("url"), nil
}

// SetRemoteURL makes origin that URL, and what the current branch follows. The
// rest of the configuration stays as it is, comments too.
func (w *Worktree) SetRemoteURL(url string) error {
	if err := CheckURL(url, URLOptions{Typed: true, Insecure: true}); err != nil {
		return err
	}
	name := filepath.Join(w.common, "config")
	old, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("setting the remote: %w", err)
	}
	lock, err := os.OpenFile(name+".lock", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("setting the remote: %s: %w", name+".lock", ErrLocked)
	}
	if err != nil {
		return fmt.Errorf("setting the remote: %w", err)
	}
	defer os.Remove(name + ".lock")
	_, err = lock.Write(withRemote(old, url, w.branch()))
	if err = errors.Join(err, lock.Sync(), lock.Close()); err == nil {
		err = os.Rename(name+".lock", name)
	}
	if err != nil {
		return fmt.Errorf("setting the remote: %w", err)
	}
	if now, err := w.RemoteURL(); err != nil || now != url {
		return errors.Join(err, fmt.Errorf("setting the remote: the configuration says %q", clip(now)))
	}
	return nil
}

func (w *Worktree) branch() string {
	at, _ := w.Head()
	return at.Branch
}

// withRemote puts the URL of origin into the text of a configuration.
func withRemote(text []byte, url, branch string) []byte {
	quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(url) + `"`
	var b strings.Builder
	inside, done := false, false
	for line := range strings.Lines(string(text)) {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "[") {
			inside = trimmed == `[remote "origin"]`
		}
		key, _, _ := strings.Cut(trimmed, "=")
		if inside && strings.EqualFold(strings.TrimSpace(key), "url") {
			if done {
				continue // a second address would be written too
			}
			line, done = "\turl = "+quoted+"\n", true
		}
		b.WriteString(line)
	}
	if done {
		return []byte(b.String())
	}
	if s := b.String(); s != "" && !strings.HasSuffix(s, "\n") {
		b.WriteString("\n")
	}
	b.WriteString("[remote \"origin\"]\n\turl = " + quoted + "\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n")
	if branch != "" {
		b.WriteString("[branch \"" + branch + "\"]\n\tremote = origin\n\tmerge = refs/heads/" + branch + "\n")
	}
	return []byte(b.String())
}

// Fetch brings a remote branch's objects into the repository, guarded as
// Store.Fetch, and moves nothing but what origin's branch is remembered as.
func (w *Worktree) Fetch(ctx context.Context, opt FetchOptions) (Tip, error) {
	at, err := w.Head()
	if err != nil && !errors.Is(err, ErrDetached) {
		return Tip{}, fmt.Errorf("fetching: %w", err)
	}
	release, err := spoolFolder(ctx, w.common)
	if err != nil {
		return Tip{}, fmt.Errorf("fetching: %w", err)
	}
	defer release()
	got, err := receive(ctx, opt, func() (*target, error) {
		return &target{objects: &w.objects, dir: w.common, have: w.present(opt.Known, at.Commit)}, nil
	})
	if err != nil {
		return Tip{}, err
	}
	defer got.drop()
	if err := got.adopt(w.common); err != nil {
		return Tip{}, fmt.Errorf("fetching: %w", err)
	}
	if url, err := w.RemoteURL(); err == nil && url == opt.URL {
		if err := w.setTracking(got.tip.Branch, plumbing.NewHash(got.tip.Commit)); err != nil {
			return Tip{}, err
		}
	}
	return got.tip, nil
}

// setTracking remembers where origin's branch is, as git fetch and push do. It
// also keeps git gc from taking the objects away.
func (w *Worktree) setTracking(branch string, at plumbing.Hash) error {
	name := filepath.Join(w.common, "refs", "remotes", "origin", filepath.FromSlash(branch))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("remembering the remote's branch: %w", err)
	}
	return writeFile(name, []byte(at.String()+"\n"), 0o644)
}

// Clone makes a repository in a folder that is not there or empty, from a
// remote: its branch, the remote as origin, and all its files. On an error
// nothing is left of it.
func Clone(ctx context.Context, dir string, opt FetchOptions) (w *Worktree, tip Tip, err error) {
	made := !exists(dir)
	if files, err := os.ReadDir(dir); !made && (err != nil || len(files) > 0) {
		return nil, Tip{}, errors.Join(err, fmt.Errorf("cloning: %s is not empty", dir))
	}
	defer func() {
		if err == nil {
			return
		}
		if w != nil {
			w.Close()
			w = nil
		}
		if made {
			os.RemoveAll(dir)
		} else if files, _ := os.ReadDir(dir); len(files) > 0 {
			for _, f := range files {
				os.RemoveAll(filepath.Join(dir, f.Name()))
			}
		}
	}()
	if w, err = InitWorktree(dir, "main"); err != nil {
		return nil, Tip{}, err
	}
	if tip, err = w.Fetch(ctx, opt); err != nil {
		return w, Tip{}, err
	}
	if err = writeFile(filepath.Join(w.gitDir, "HEAD"), []byte("ref: refs/heads/"+tip.Branch+"\n"), 0o644); err != nil {
		return w, Tip{}, fmt.Errorf("cloning: %w", err)
	}
	if err = w.SetRemoteURL(opt.URL); err != nil {
		return w, Tip{}, err
	}
	if err = w.setTracking(tip.Branch, plumbing.NewHash(tip.Commit)); err != nil {
		return w, Tip{}, err
	}
	if err = w.Reset(ctx, tip.Commit); err != nil {
		return w, Tip{}, err
	}
	return w, tip, nil
}
