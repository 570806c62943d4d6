package index

import (
	"github.com/distributed-trust/distrust/records/trust"
)

// Signers returns the statements that hold keys with which signatures beside a file of a project can
// be checked: all that let a key sign for it, and all others about one of these keys, since
// a certificate there may hold its revocation (S2). With no project they are those that may sign for
// everything. That a key is there says nothing about trust in it, and none is opened again.
func (g *Generation) Signers(project string) ([]trust.Statement, error) {
	var statements []trust.Statement
	err := g.read(func(s *snapshot) error {
		statements = nil
		search := &search{s: s, q: trust.Query{Project: project}, refs: map[ref]bool{}, done: map[uint64]bool{}}
		if err := search.findProjectSigners(); err != nil {
			return err
		}
		for _, x := range search.list {
			statements = append(statements, x.said.Statement)
		}
		return nil
	})
	return statements, err
}
