package gitstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// lockFile keeps other processes out for as long as this one lives, or gives
// ErrLocked. Where locks end with their process the file stays and means
// nothing; elsewhere the file is the lock.
func lockFile(name string) (release func(), err error) {
	flag := os.O_RDWR | os.O_CREATE
	if !locksEnd {
		flag |= os.O_EXCL
	}
	f, err := os.OpenFile(name, flag, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s: %w", name, ErrLocked)
	}
	if err != nil {
		return nil, err
	}
	if !tryLock(f) {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, ErrLocked)
	}
	return func() {
		unlock(f)
		if !locksEnd {
			os.Remove(name)
		}
	}, nil
}

// How long a lock is waited for, and how often it is looked at. git holds its
// locks for moments; a person who has to remove one wants to know soon.
const (
	lockWait = 5 * time.Second
	lockPoll = 10 * time.Millisecond
)

// waitFor tries until something else than ErrLocked comes of it.
func waitFor(ctx context.Context, try func() error) error {
	end := time.NewTimer(lockWait)
	defer end.Stop()
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		err := try()
		if !errors.Is(err, ErrLocked) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		case <-end.C:
			return err
		case <-tick.C:
		}
	}
}

// refLock is git's own lock of one reference: while it is held nobody moves it.
type refLock struct {
	ref, file string
	done      bool
}

// lockRef takes the lock and writes into it at once where the reference is to go.
func lockRef(ctx context.Context, gitDir, ref string, to plumbing.Hash) (*refLock, error) {
	l := &refLock{ref: filepath.Join(gitDir, filepath.FromSlash(ref))}
	l.file = l.ref + ".lock"
	if err := os.MkdirAll(filepath.Dir(l.ref), 0o755); err != nil {
		return nil, fmt.Errorf("moving %s: %w", ref, err)
	}
	err := waitFor(ctx, func() error {
		f, err := os.OpenFile(l.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", l.file, ErrLocked)
		}
		if err != nil {
			return err
		}
		_, err = f.WriteString(to.String() + "\n")
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			os.Remove(l.file)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("moving %s: %w", ref, err)
	}
	return l, nil
}

// set moves the reference and gives the lock back.
func (l *refLock) set() error {
	if err := os.Rename(l.file, l.ref); err != nil {
		return err
	}
	l.done = true
	return syncDir(filepath.Dir(l.ref))
}

func (l *refLock) release() {
	if !l.done {
		os.Remove(l.file)
	}
}

// move is a step of a branch, written down in the lock before it is made, so
// that whoever finds the lock of a killed process can finish the step.
type move struct {
	Version int    `json:"distrust"`
	Branch  string `json:"branch,omitempty"`
	Old     string `json:"old,omitempty"`
	New     string `json:"new,omitempty"`
	Log     string `json:"log,omitempty"` // the end of a line of the reference log
}

// sound says whether the move is one that we write down. A repository that somebody else made may hold
// any: its branch would lead to files elsewhere, and lines of its log would land there.
func (m move) sound() bool {
	branch, ok := strings.CutPrefix(m.Branch, "refs/heads/")
	return m == move{Version: 1} || m.Version == 1 && ok && branchName(branch) && !strings.ContainsAny(m.Log, "\r\n\x00")
}

// indexLock is .git/index.lock, which keeps git and ourselves from writing to
// the repository at the same time. The file says that it is ours, and the
// system keeps a lock on it that ends with the process.
type indexLock struct {
	f     *os.File
	name  string
	leave bool // the step that it declares is not finished: the next one to take it does that
}

// lockIndex takes the lock. When a killed process of ours left one behind it
// takes that one over and gives the step that was not finished.
func lockIndex(ctx context.Context, gitDir string) (l *indexLock, left move, err error) {
	l = &indexLock{name: filepath.Join(gitDir, "index.lock")}
	err = waitFor(ctx, func() error {
		err := l.make()
		if errors.Is(err, fs.ErrExist) {
			left, err = l.takeOver()
		}
		return err
	})
	if err != nil {
		return nil, move{}, err
	}
	sweepLocks(gitDir)
	return l, left, nil
}

// lockPattern is what a lock is called before it is linked to its name.
const lockPattern = "distrust-lock-*"

// sweepLocks removes those that were never linked and that nobody is making.
func sweepLocks(gitDir string) {
	names, _ := filepath.Glob(filepath.Join(gitDir, lockPattern))
	for _, name := range names {
		if f, err := os.OpenFile(name, os.O_RDWR, 0); err == nil {
			if locksEnd && tryLock(f) {
				os.Remove(name)
			}
			unlock(f)
		}
	}
}

// make makes the lock file in one step, complete and locked: linked from
// another name, where the file system can do that.
func (l *indexLock) make() error {
	f, err := os.CreateTemp(filepath.Dir(l.name), lockPattern)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	l.f = f
	if !tryLock(f) {
		f.Close()
		return ErrLocked
	}
	if err := l.write(move{}); err != nil { // such as a full disk
		unlock(f)
		return err
	}
	if err = os.Link(f.Name(), l.name); err == nil {
		return nil
	}
	unlock(f)
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	return l.makeInPlace()
}

// makeInPlace makes the lock file where there are no links. What it leaves when it fails would
// look like another program's.
func (l *indexLock) makeInPlace() error {
	f, err := os.OpenFile(l.name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	l.f = f
	if !tryLock(f) {
		f.Close()
		return ErrLocked
	}
	if err := l.write(move{}); err != nil {
		l.release()
		return err
	}
	return nil
}

// takeOver takes the lock of a process of ours that is no more.
func (l *indexLock) takeOver() (move, error) {
	locked := fmt.Errorf("%s: %w", l.name, ErrLocked)
	if !locksEnd {
		return move{}, locked
	}
	f, err := os.OpenFile(l.name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return move{}, locked // given back a moment ago
	}
	if err != nil {
		return move{}, err
	}
	var left move
	mine, err1 := f.Stat()
	if tryLock(f) {
		there, err2 := os.Stat(l.name)
		if err1 == nil && err2 == nil && os.SameFile(mine, there) &&
			json.NewDecoder(io.LimitReader(f, 4096)).Decode(&left) == nil && left.sound() {
			l.f = f
			return left, nil
		}
	}
	unlock(f)
	return move{}, locked
}

// declare writes down the step that is about to be made, so that it lasts.
func (l *indexLock) declare(m move) error {
	return errors.Join(l.write(m), l.f.Sync())
}

func (l *indexLock) write(m move) error {
	m.Version = 1
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	b = append(b, '\n')
	if _, err := l.f.WriteAt(b, 0); err != nil { // over what is there: that needs no room on the disk
		return err
	}
	return l.f.Truncate(int64(len(b)))
}

// release gives the lock back.
func (l *indexLock) release() {
	if !l.leave || !locksEnd {
		os.Remove(l.name)
	}
	unlock(l.f)
}
