package trust

import (
	"fmt"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/schema"
)

// TestMuchFromOneSource: a source, a muted one too, may say very much about one file. That must not
// keep anybody from an answer; work that grows with the square takes a minute here, not a moment.
func TestMuchFromOneSource(t *testing.T) {
	t.Parallel()
	const log, most = "00000000000000000000000000000007", 5 * time.Second
	file := []schema.Subject{{Digest: schema.Digest{SHA256: fmt.Sprintf("%064x", 1)}, Size: -1}}
	says := map[string]func(i int, s *Statement){
		"reports and answers": func(i int, s *Statement) {
			if i%2 == 0 {
				s.Kind, s.Category, s.Issued = schema.KindDistrust, schema.Other, 200
			}
		},
		"names": func(i int, s *Statement) { s.Project = fmt.Sprintf("pkg:generic/p%d", i) },
	}
	for name, say := range says {
		for _, weight := range []int{0, 50} {
			net := &Network{
				Follows: []Follow{{Name: "mallory", Log: log, Weight: weight}},
				Sources: []Source{{Log: log, Issued: 1, Expires: 1 << 40}},
			}
			statements := make([]Statement, 30_000)
			for i := range statements {
				statements[i] = Statement{ID: fmt.Sprintf("%064x", i), Log: log, Kind: schema.KindTrust, Issued: 100, Strength: 100, Subjects: file}
				say(i, &statements[i])
			}
			began := time.Now()
			Decide(Query{Size: -1, Digest: file[0].Digest}, statements, net, DefaultPolicy(), time.Unix(1000, 0))
			if took := time.Since(began); took > most {
				t.Errorf("%s at weight %d: %v", name, weight, took)
			}
		}
	}
}
