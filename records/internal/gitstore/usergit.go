package gitstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// UserGit is the user's own git and the environment that it runs in. It reaches
// what go-git cannot (S3.6): hosts behind a jump host or a proxy, and whatever
// else the user's own configuration of git and ssh says.
type UserGit struct {
	Path    string // absolute; empty: there is none
	Environ []string
}

// ErrNoGit says that a source wants the user's git, and there is none.
var ErrNoGit = fmt.Errorf("%w: it is fetched with git, and there is no git", ErrUnreachable)

// A GitError says that the user's git could not fetch.
type GitError struct {
	URL  string
	Said string // its words, which may be the other side's: quote them before they are shown
}

func (e *GitError) Error() string { return fmt.Sprintf("%v: git says %q", ErrUnreachable, e.Said) }

// Is makes it ErrUnreachable: nothing was fetched, and nothing was judged.
func (e *GitError) Is(target error) bool { return target == ErrUnreachable }

// Quarantine has git fetch one branch into a bare repository in dir, an empty
// folder, and gives the short name of that branch. What came was not looked at:
// dir is then for Store.Fetch, which reads it as any other folder and relies on
// nothing that git checked. Git need not bring what is in the git folder known
// (absolute), when there is one. Opt.Known, opt.Credentials and opt.SSH play no part.
//
// Git and what it starts are killed at the deadline and when they write more
// than a pack may have. They ask nobody anything: there is no terminal to them.
func (g UserGit) Quarantine(ctx context.Context, dir, known string, opt FetchOptions) (branch string, err error) {
	to, err := parseURL(opt.URL, URLOptions{Typed: opt.Typed, Insecure: opt.Insecure})
	switch {
	case err != nil:
		return "", err
	case to.scheme == schemePath:
		return "", &URLError{URL: opt.URL, Reason: "a folder is read without git"}
	case g.Path == "":
		return "", ErrNoGit
	case opt.Branch != "" && !branchName(opt.Branch):
		return "", fmt.Errorf("fetching: branch %q: %w", clip(opt.Branch), ErrNoBranch)
	}
	l := opt.Limits.orDefault()
	ctx, cancel := context.WithTimeoutCause(ctx, l.Timeout, tooLong("milliseconds in all", l.Timeout, "timeout"))
	defer cancel()
	store, err := OpenStore(dir)
	if err != nil {
		return "", err
	}
	q := &quarantine{git: g, dir: store.dir, remote: to, limits: l}
	if err := store.Close(); err != nil {
		return "", err
	}
	if branch, err = q.branch(ctx, opt.Branch); err == nil {
		err = q.fetch(ctx, branch, known)
	}
	if err != nil {
		return "", fmt.Errorf("fetching: %w", err)
	}
	return branch, nil
}

// quarantine is a bare repository that the user's git fetches into.
type quarantine struct {
	git    UserGit
	dir    string
	remote remote
	limits Limits
}

// The files that git writes its answers to. They are files and no pipes, since
// what ssh leaves running behind git would keep a pipe open.
const (
	saidFile   = "said"
	answerFile = "answer"
)

// branch asks which branches there are and chooses.
func (q *quarantine) branch(ctx context.Context, wanted string) (string, error) {
	err := q.run(ctx, &LimitError{What: "bytes of the list of references", Limit: q.limits.Advertisement, Option: "advertisement"},
		"ls-remote", "--quiet", "--symref", "--", q.remote.address, "HEAD", "refs/heads/*")
	if err != nil {
		return "", err
	}
	answer, err := os.ReadFile(filepath.Join(q.dir, answerFile))
	if err != nil {
		return "", err
	}
	refs, err := listedRefs(string(answer))
	if err != nil {
		return "", err
	}
	chosen := &received{}
	_, err = chosen.chooseBranch(refs, wanted)
	return chosen.tip.Branch, err
}

// listedRefs reads what git ls-remote --symref prints.
func listedRefs(text string) (*packp.AdvRefs, error) {
	refs := packp.NewAdvRefs()
	for line := range strings.Lines(text) {
		what, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok {
			continue
		}
		if target, ok := strings.CutPrefix(what, "ref: "); ok {
			if name == "HEAD" {
				if err := refs.Capabilities.Add(capability.SymRef, "HEAD:"+target); err != nil {
					return nil, err
				}
			}
			continue
		}
		if !plumbing.IsHash(what) || len(what) != 40 {
			return nil, ErrUnsupported // objects with other ids than SHA-1's
		}
		h := plumbing.NewHash(what)
		switch {
		case name == "HEAD":
			refs.Head = &h
		case strings.HasPrefix(name, "refs/heads/"):
			refs.References[name] = h
		}
	}
	return refs, nil
}

// fetch brings the branch. What it borrows of a store may be damaged, and is
// then done without.
func (q *quarantine) fetch(ctx context.Context, branch, known string) error {
	ref := "refs/heads/" + branch
	bring := func() error {
		return q.run(ctx, &LimitError{What: "pack bytes", Limit: q.limits.PackBytes, Option: "pack"},
			"fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc", "--", q.remote.address, "+"+ref+":"+ref)
	}
	borrowed := filepath.Join(q.dir, "objects", "info", "alternates")
	if known != "" && isDir(filepath.Join(known, "objects")) && filepath.IsAbs(known) && !strings.Contains(known, "\n") {
		if err := os.WriteFile(borrowed, []byte(filepath.Join(known, "objects")+"\n"), 0o600); err != nil {
			return err
		}
		var failed *GitError
		if err := bring(); !errors.As(err, &failed) {
			return err
		}
		if err := os.Remove(borrowed); err != nil {
			return err
		}
	}
	return bring()
}

// run runs git, which may write as many bytes as the limit says.
func (q *quarantine) run(ctx context.Context, limit *LimitError, args ...string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	command := exec.CommandContext(ctx, q.git.Path, append(q.settings(), args...)...)
	command.Dir, command.Env = q.dir, q.environ()
	answer, err := os.Create(filepath.Join(q.dir, answerFile))
	if err != nil {
		return err
	}
	defer answer.Close()
	said, err := os.Create(filepath.Join(q.dir, saidFile))
	if err != nil {
		return err
	}
	defer said.Close()
	command.Stdout, command.Stderr = answer, said
	if err := startApart(command, q.memory()); err != nil {
		return named(ErrUnreachable, err)
	}
	look := func() {
		if size := written(q.dir); size > limit.Limit {
			cancel(&LimitError{What: limit.What, Limit: limit.Limit, Got: size, Option: limit.Option})
		}
	}
	stop := repeat(look)
	err = command.Wait()
	stop()
	look() // git may have been quicker
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return &GitError{URL: q.remote.address, Said: q.said(err)}
	}
	return nil
}

// lookEvery is how often it is looked at what git has written.
const lookEvery = 20 * time.Millisecond

// repeat does something again and again until it is stopped.
func repeat(do func()) (stop func()) {
	ended := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				do()
			}
		}
	})
	return func() { close(ended); done.Wait() }
}

// written counts the bytes that came from the other side. The indexes of packs
// are git's own work, and as long as the packs allow.
func written(dir string) (size int64) {
	files, _ := filepath.Glob(filepath.Join(dir, "objects", "pack", "*"))
	for _, file := range append(files, filepath.Join(dir, saidFile), filepath.Join(dir, answerFile)) {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "tmp_idx") || strings.HasPrefix(name, "tmp_rev") || strings.HasSuffix(name, ".idx") || strings.HasSuffix(name, ".rev") {
			continue
		}
		if info, err := os.Lstat(file); err == nil { // git renames and removes files meanwhile
			size += info.Size()
		}
	}
	return size
}

// said gives the beginning of what git said, as one line.
func (q *quarantine) said(failed error) string {
	f, err := os.Open(filepath.Join(q.dir, saidFile))
	if err != nil {
		return failed.Error()
	}
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, 1<<10))
	if line := strings.Join(strings.Fields(string(text)), " "); line != "" {
		return clip(line)
	}
	return failed.Error()
}

// settings stand before the command. They go before the user's own, which stay
// in force where they say how to reach a host: that is what this is for. Nothing
// of the fetched repository is ever taken for settings.
func (q *quarantine) settings() []string {
	list := []string{"--git-dir=" + q.dir, "--no-replace-objects"}
	for _, setting := range []string{
		"core.hooksPath=" + os.DevNull, // also hooks of the user's: this is no repository of theirs
		"core.askPass=",
		"credential.interactive=never",
		"fetch.unpackLimit=1", // a pack stays one file
		"fetch.uriProtocols=", // and all of it comes from one address
		"transfer.bundleURI=false",
		"fetch.writeCommitGraph=false",
		"gc.auto=0",
		"maintenance.auto=false",
		"pack.threads=1",
		"http.lowSpeedLimit=1",
		"http.lowSpeedTime=" + strconv.Itoa(max(1, int(q.limits.Idle.Seconds()))),
	} {
		list = append(list, "-c", setting)
	}
	return list
}

// environ is the user's environment without what would lead git to another
// repository, and without anything that asks.
func (q *quarantine) environ() []string {
	var list []string
	for _, variable := range q.git.Environ {
		name, _, _ := strings.Cut(variable, "=")
		name = strings.ToUpper(name)
		if name == "SSH_ASKPASS" || strings.HasPrefix(name, "GIT_") && !reaches(name) {
			continue
		}
		list = append(list, variable)
	}
	// This list stands above protocol.allow of every file: no address that the
	// user's settings or a server put in place of ours gets another scheme.
	allowed := "https:ssh"
	for _, open := range []string{"http", "git"} {
		if strings.HasPrefix(q.remote.address, open+"://") {
			allowed += ":" + open
		}
	}
	return append(list,
		"GIT_ALLOW_PROTOCOL="+allowed,
		"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS_REQUIRE=never",
		"GIT_ALLOC_LIMIT="+strconv.FormatInt(q.memory(), 10), // of one piece: what a pack's header claims is not believed
	)
}

// memory is how many bytes git may hold: what a pack may come to, at once.
func (q *quarantine) memory() int64 {
	return max(q.limits.InflatedBytes, DefaultLimits().InflatedBytes)
}

// reaches says whether a variable of git's is about how to reach a host, or
// about where git's own parts and settings are.
func reaches(name string) bool {
	for _, prefix := range []string{"GIT_SSH", "GIT_SSL_", "GIT_HTTP_", "GIT_PROXY_", "GIT_CONFIG_", "GIT_EXEC_PATH"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
