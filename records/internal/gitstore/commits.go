package gitstore

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/go-git/go-git/v5/plumbing"
)

// Commit is one commit of a history, and the head that it holds.
type Commit struct {
	ID, Tree      string
	Parents       []string
	Head, HeadSig string // blob ids of head.yml and head.yml.sig; empty when there is none
}

// Has reports whether a commit is in the repository.
func (o *objects) Has(commit string) bool { return len(o.present(commit)) == 1 }

func (o *objects) isCommit(h plumbing.Hash) bool {
	_, err := o.commit(h)
	return err == nil
}

// commit reads a commit. One that is absent is what a remote did not send.
func (o *objects) commit(h plumbing.Hash) (commitData, error) {
	b, err := o.read(plumbing.CommitObject, h, maxMeta)
	if err != nil {
		return commitData{}, absent("a commit is missing", h, err)
	}
	c, err := parseCommit(b)
	if err != nil {
		return commitData{}, &HostileError{What: "a commit cannot be read", Where: h.String(), Err: err}
	}
	return c, nil
}

func (o *objects) tree(h plumbing.Hash) ([]entry, error) {
	b, err := o.read(plumbing.TreeObject, h, maxMeta)
	if err != nil {
		return nil, absent("a tree is missing", h, err)
	}
	entries, err := parseTree(b)
	if err != nil {
		return nil, &HostileError{What: "a tree cannot be read", Where: h.String(), Err: err}
	}
	return entries, nil
}

// absent says that an object which another one names is not there.
func absent(what string, h plumbing.Hash, err error) error {
	if errors.Is(err, ErrNotFound) {
		return &HostileError{What: what, Where: h.String(), Err: ErrIncomplete}
	}
	return err
}

// describe gives a commit with the head that it holds.
func (o *objects) describe(h plumbing.Hash) (Commit, error) {
	data, err := o.commit(h)
	if err != nil {
		return Commit{}, err
	}
	c := Commit{ID: h.String(), Tree: data.tree.String()}
	for _, p := range data.parents {
		c.Parents = append(c.Parents, p.String())
	}
	root, err := o.tree(data.tree)
	if err != nil {
		return Commit{}, err
	}
	for _, e := range root {
		switch {
		case e.name == headFile && e.mode == modeFile:
			c.Head = e.hash.String()
		case e.name == headSigFile && e.mode == modeFile:
			c.HeadSig = e.hash.String()
		}
	}
	return c, nil
}

// Top lists what lies at the top of a commit by name: the blob id of a regular file, "" for anything
// else.
func (o *objects) Top(commit string) (map[string]string, error) {
	h, err := parseID(commit)
	if err != nil {
		return nil, err
	}
	data, err := o.commit(h)
	if err != nil {
		return nil, err
	}
	entries, err := o.tree(data.tree)
	if err != nil {
		return nil, err
	}
	top := make(map[string]string, len(entries))
	for _, e := range entries {
		top[e.name] = ""
		if e.mode == modeFile {
			top[e.name] = e.hash.String()
		}
	}
	return top, nil
}

// FirstParents goes back from a commit along first parents (F5.5), newest
// first, until the caller stops, the history ends or something is missing.
func (o *objects) FirstParents(ctx context.Context, commit string) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		h, err := parseID(commit)
		if err != nil {
			yield(Commit{}, err)
			return
		}
		for {
			if err := context.Cause(ctx); err != nil {
				yield(Commit{}, err)
				return
			}
			c, err := o.describe(h)
			if !yield(c, err) || err != nil || len(c.Parents) == 0 {
				return
			}
			h = plumbing.NewHash(c.Parents[0])
		}
	}
}

// NewCommits lists the commits that are reachable from tip and not from known,
// newest first by the dates that they claim, each with its head (F5.3). An
// empty or absent known is no bound. More than limit is a LimitError. Wrong
// dates can make the list longer than it has to be, never shorter.
func (o *objects) NewCommits(ctx context.Context, tip, known string, limit int) ([]Commit, error) {
	from, err := parseID(tip)
	if err != nil {
		return nil, err
	}
	ids, err := o.newCommits(ctx, from, o.present(known), limit)
	if err != nil {
		return nil, err
	}
	commits := make([]Commit, 0, len(ids))
	for _, h := range ids {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		c, err := o.describe(h)
		if err != nil {
			return nil, err
		}
		commits = append(commits, c)
	}
	return commits, nil
}

// IsAncestor reports whether old is tip or can be reached from it. Dates only decide what is looked
// at first: clocks are wrong, and several commits are made in one second. A history in which old is
// not among the newest commits, as many as a fetch may bring, counts as another one.
func (o *objects) IsAncestor(ctx context.Context, old, tip string) (bool, error) {
	from, err := parseID(old)
	if err != nil {
		return false, err
	}
	of := o.present(tip)
	if len(of) == 0 {
		return false, fmt.Errorf("commit %s: %w", clip(tip), ErrNotFound)
	}
	if !o.isCommit(from) {
		return false, nil
	}
	w := &walk{objects: o, flags: map[plumbing.Hash]int{}}
	if err := w.mark(of[0], isKnown); err != nil {
		return false, err
	}
	for n := 0; len(w.queue) > 0 && n < DefaultLimits().NewCommits && w.flags[from] == 0; n++ {
		if err := context.Cause(ctx); err != nil {
			return false, err
		}
		c := heap.Pop(&w.queue).(queued)
		for _, p := range c.data.parents {
			if err := w.mark(p, isKnown); err != nil {
				return false, err
			}
		}
	}
	return w.flags[from] != 0, nil
}

const (
	isNew   = 1 << iota // reachable from the tip
	isKnown             // reachable from what is known
	isOpen              // queued as new, and neither looked at nor known yet
)

// walk goes back through a history, newest commit first.
type walk struct {
	objects *objects
	flags   map[plumbing.Hash]int
	queue   commitQueue
	open    int // commits with the flag isOpen
}

// newCommits walks back from a tip and from the known commits at once, and
// stops when only known ones are left to look at. A commit that turns out to be
// known only after it was listed is taken off again, and so are its parents.
func (o *objects) newCommits(ctx context.Context, tip plumbing.Hash, known []plumbing.Hash, limit int) ([]plumbing.Hash, error) {
	w := &walk{objects: o, flags: map[plumbing.Hash]int{}}
	for _, h := range known {
		if err := w.mark(h, isKnown); err != nil {
			return nil, err
		}
	}
	if err := w.mark(tip, isNew); err != nil {
		return nil, err
	}
	var listed []plumbing.Hash
	for w.open > 0 {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		c := heap.Pop(&w.queue).(queued)
		flag := isKnown
		if w.flags[c.hash]&isOpen != 0 {
			w.close(c.hash)
			flag = isNew
			if listed = append(listed, c.hash); len(listed) > limit {
				return nil, &LimitError{What: "new commits", Limit: int64(limit), Got: int64(len(listed)), Option: "commits"}
			}
		}
		for _, p := range c.data.parents {
			if err := w.mark(p, flag); err != nil {
				return nil, err
			}
		}
	}
	kept := listed[:0]
	for _, h := range listed {
		if w.flags[h]&isKnown == 0 {
			kept = append(kept, h)
		}
	}
	return kept, nil
}

// mark queues a commit when the flag says something new about it.
func (w *walk) mark(h plumbing.Hash, flag int) error {
	if w.flags[h]&(flag|isKnown) != 0 {
		return nil
	}
	data, err := w.objects.commit(h)
	if err != nil {
		if flag == isKnown && errors.Is(err, ErrIncomplete) {
			return nil // the known history may have a beginning that is not kept
		}
		return err
	}
	if flag == isNew {
		w.flags[h] = isNew | isOpen
		w.open++
	} else {
		w.close(h)
		w.flags[h] |= isKnown
	}
	heap.Push(&w.queue, queued{h, data})
	return nil
}

// close takes a commit from those that are still to be looked at as new.
func (w *walk) close(h plumbing.Hash) {
	if w.flags[h]&isOpen != 0 {
		w.flags[h] &^= isOpen
		w.open--
	}
}

type queued struct {
	hash plumbing.Hash
	data commitData
}

type commitQueue []queued

func (q commitQueue) Len() int           { return len(q) }
func (q commitQueue) Less(i, j int) bool { return q[i].data.when > q[j].data.when }
func (q commitQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *commitQueue) Push(x any)        { *q = append(*q, x.(queued)) }
func (q *commitQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// recent lists a few commits back from some, which tell the other side what
// need not be sent.
func (o *objects) recent(from []plumbing.Hash, most int) []plumbing.Hash {
	seen := map[plumbing.Hash]bool{}
	var ids []plumbing.Hash
	for len(from) > 0 && len(ids) < most {
		h := from[0]
		from = from[1:]
		if seen[h] {
			continue
		}
		seen[h] = true
		data, err := o.commit(h)
		if err != nil {
			continue
		}
		ids = append(ids, h)
		from = append(from, data.parents...)
	}
	return ids
}
