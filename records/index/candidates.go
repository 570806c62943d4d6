package index

import (
	"cmp"
	"errors"
	"slices"

	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// MaxOpened is how many records one look-up opens again at most (A2); the rest are counted as
// indexed. A check stays quick however many speak about a thing.
const MaxOpened = 64

// nearness orders what a look-up finds: what is nearer to the thing asked about is opened first.
type nearness int

const (
	nearFile    nearness = iota // names the digest or git id
	nearSigner                  // about a signer of a good signature
	nearNamed                   // reports a project or release of that name
	nearTwin                    // names another file of the same name
	nearProject                 // about other signers of the project
)

// candidate is one record that Decide may need.
type candidate struct {
	found
	said store.Said
	near nearness
}

// search collects candidates.
type search struct {
	s    *snapshot
	q    trust.Query
	list []*candidate
	refs map[ref]bool
	done map[uint64]bool // hashes that were looked up
}

// Candidates returns every statement that [trust.Decide] can need for the query, of all logs:
// what it asks for in its comment. Records that several keys lead to come once, in an order that
// depends on the records alone. The nearest of them, at most [MaxOpened], fairly divided between
// logs, are opened again from their record stores, signature included; the others are as the index
// has them, and marked Indexed. A *[DamageError] says that something could not be read: then there
// is no answer, for what is missing might be a report. The policy is not needed: names that
// Decide may not count (D3) are followed too.
func (g *Generation) Candidates(q trust.Query, _ trust.Policy) ([]trust.Statement, Lookup, error) {
	var statements []trust.Statement
	var lookup Lookup
	err := g.read(func(s *snapshot) (err error) {
		search := &search{s: s, q: q, refs: map[ref]bool{}, done: map[uint64]bool{}}
		if err := search.run(); err != nil {
			return err
		}
		statements, lookup, err = search.open()
		return err
	})
	if err != nil {
		return nil, Lookup{}, err
	}
	return statements, lookup, nil
}

// run finds the closure of the query.
func (c *search) run() error {
	if err := c.find(nearFile, c.fileKeys()); err != nil {
		return err
	}
	if err := c.find(nearSigner, c.signerKeys()); err != nil {
		return err
	}
	// The names of what was found so far widen the search for reports (D3); the projects of
	// signers do as well, for Enough tries them as the query's.
	if err := c.find(nearNamed, c.nameKeys()); err != nil {
		return err
	}
	if err := c.find(nearTwin, c.twinKeys()); err != nil {
		return err
	}
	if c.q.Project != "" {
		if err := c.findProjectSigners(); err != nil {
			return err
		}
	}
	return c.findWithdraws()
}

// find adds the records under the hashes.
func (c *search) find(near nearness, hashes []uint64) error {
	found, err := c.s.lookup(func(t *table) (refs []ref, err error) {
		for _, hash := range hashes {
			if c.done[hash] {
				continue
			}
			c.done[hash] = true
			if refs, err = t.find(refs, spaceKeys, hash, hash); err != nil {
				return nil, err
			}
		}
		return slices.DeleteFunc(refs, func(r ref) bool {
			known := c.refs[r] || r.off() == 0
			c.refs[r] = true
			return known
		}), nil
	})
	if err != nil {
		return err
	}
	for _, f := range found {
		s, err := f.frame.Said(&f.log.Keys)
		if err != nil {
			return c.s.blame(f.log, err)
		}
		c.list = append(c.list, &candidate{found: f, said: s, near: near})
	}
	return nil
}

// keyList collects hashes of keys that are not empty.
type keyList []uint64

func (k *keyList) add(c class, key string) {
	if key != "" {
		*k = append(*k, hashKey(c, key))
	}
}

func (c *search) fileKeys() []uint64 {
	var k keyList
	k.add(classSHA256, c.q.Digest.SHA256)
	k.add(classSHA512, c.q.Digest.SHA512)
	k.add(classGit, gitKey(schema.GitID{Commit: c.q.Git.Commit}))
	k.add(classGit, gitKey(schema.GitID{Tree: c.q.Git.Tree}))
	return k
}

func (c *search) signerKeys() []uint64 {
	var k keyList
	for _, s := range c.q.Signatures {
		if s.State == trust.SignatureGood {
			k.add(classSigner, s.Signer)
		}
	}
	return k
}

// nameKeys are the reports on every name that the query or a candidate has.
func (c *search) nameKeys() []uint64 {
	var k keyList
	name := func(project, version string) {
		k.add(classProject, project)
		if version != "" {
			k.add(classRelease, pairKey(project, version))
		}
	}
	name(c.q.Project, c.q.Version)
	for _, x := range c.list {
		if x.said.Statement.Project != "" {
			name(x.said.Statement.Project, x.said.Statement.Version)
			// A version that one names and a project that another names do not make a release,
			// but the query's version may go with a project that is found.
			name(x.said.Statement.Project, c.q.Version)
		}
		for i := range x.said.Statement.Subjects {
			for _, pattern := range x.said.Statement.Subjects[i].Pattern {
				k.add(classProject, pattern)
			}
		}
	}
	return k
}

// twinKeys are the trusted files of the same name: those of the project and those of none, or
// all when the query has no project.
func (c *search) twinKeys() []uint64 {
	var k keyList
	if c.q.Name == "" {
		return nil
	}
	k.add(classNamed, pairKey("", c.q.Name))
	if c.q.Project == "" {
		k.add(className, c.q.Name)
	} else {
		k.add(classNamed, pairKey(c.q.Project, c.q.Name))
	}
	return k
}

// projectKeys are whom anybody lets sign for the project.
func (c *search) projectKeys() []uint64 {
	var k keyList
	for _, pattern := range patternsFor(c.q.Project) {
		k.add(classPattern, pattern)
	}
	return k
}

// findProjectSigners adds who is trusted to sign for the project, and all that is said about
// these signers.
func (c *search) findProjectSigners() error {
	if err := c.find(nearProject, c.projectKeys()); err != nil {
		return err
	}
	var signers keyList
	for _, x := range c.list {
		for i := range x.said.Statement.Subjects {
			if s := &x.said.Statement.Subjects[i]; len(s.Pattern) > 0 && schema.MatchAny(s.Pattern, c.q.Project) {
				signers.add(classSigner, s.Signer)
			}
		}
	}
	return c.find(nearProject, signers)
}

// findWithdraws adds what takes a candidate back, until nothing more comes. A withdraw is as near
// as what it takes back.
func (c *search) findWithdraws() error {
	for at := 0; at < len(c.list); {
		round := c.list[at:]
		at = len(c.list)
		byNear := map[nearness]*keyList{}
		for _, x := range round {
			if byNear[x.near] == nil {
				byNear[x.near] = &keyList{}
			}
			byNear[x.near].add(classWithdraw, x.said.Statement.ID)
		}
		for near := nearFile; near <= nearProject; near++ {
			if k := byNear[near]; k != nil {
				if err := c.find(near, *k); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// open orders the candidates and opens the first of them again.
func (c *search) open() ([]trust.Statement, Lookup, error) {
	c.order()
	statements := make([]trust.Statement, 0, len(c.list))
	var n Lookup
	for _, x := range c.list {
		if n.Opened == MaxOpened {
			statements = append(statements, x.said.Statement)
			n.Indexed++
			continue
		}
		if st, ok := c.s.recall(x.ref); ok {
			statements = append(statements, st)
			n.Opened++
			continue
		}
		_, st, err := x.frame.Open(&x.log.Keys)
		switch {
		case errors.Is(err, store.ErrUnlisted): // void, and cannot be opened
			st = x.said.Statement
			n.Indexed++
		case err != nil:
			return nil, Lookup{}, c.s.blame(x.log, err)
		default:
			n.Opened++
			c.s.remember(x.ref, st)
		}
		statements = append(statements, st)
	}
	return statements, n, nil
}

// order brings the nearest to the front and, among the equally near, the newest of each log
// before the second newest of any: no log can crowd out the others.
func (c *search) order() {
	newest := func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.near, b.near), cmp.Compare(b.said.Statement.Issued, a.said.Statement.Issued), cmp.Compare(a.said.Statement.ID, b.said.Statement.ID))
	}
	slices.SortFunc(c.list, newest)
	type place struct {
		near nearness
		log  uint32
	}
	turns := map[place]int{}
	turn := make(map[*candidate]int, len(c.list))
	for _, x := range c.list {
		p := place{x.near, x.log.num}
		turn[x] = turns[p]
		turns[p]++
	}
	slices.SortFunc(c.list, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.near, b.near), cmp.Compare(turn[a], turn[b]), newest(a, b))
	})
}
