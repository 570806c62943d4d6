package index

import (
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index/internal/codec"
	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/records/trust"
)

// Network is what decisions need of what the logs say about each other: Sources (every log with an
// accepted head, by id; Name is what the head suggests) and Edges (all public follows that count).
// Own, Follows and Lost, and the user's names, are the caller's to fill in.
func (g *Generation) Network() (trust.Network, error) {
	var net trust.Network
	err := g.read(func(s *snapshot) error {
		return s.view(func(t *table) error {
			b, err := t.Value(valueID(valueSources))
			if err != nil {
				return err
			}
			d := codec.Decode(b)
			count := d.Count(minRow)
			net = trust.Network{Sources: make([]trust.Source, 0, count)}
			var from []sourceRow // that have follows
			for range count {
				row := decodeRow(d)
				if row.head {
					net.Sources = append(net.Sources, trust.Source{Log: row.log, Name: row.name, Issued: row.issued, Expires: row.expires})
				}
				if row.edges {
					from = append(from, row)
				}
			}
			if err := d.Finish(); err != nil {
				return err
			}
			net.Edges, err = t.edges(from)
			return err
		})
	})
	return net, err
}

// edges reads the edges that leave these logs.
func (t *table) edges(from []sourceRow) ([]trust.Edge, error) {
	values, counts, total := make([]*codec.Decoder, len(from)), make([]int, len(from)), 0
	for i := range from {
		b, err := t.Value(logValue(valueEdges, from[i].num))
		if err != nil {
			return nil, err
		}
		values[i] = codec.Decode(b)
		counts[i] = values[i].Count(minEdge)
		total += counts[i]
	}
	edges := make([]trust.Edge, 0, total)
	for i, d := range values {
		for range counts[i] {
			edges = append(edges, decodeEdge(d, from[i].log))
		}
		if err := d.Finish(); err != nil {
			return nil, err
		}
	}
	return edges, nil
}

// Follows is all that the logs say about each other: every public follow, also one that counts no
// more, and the withdraws that take follows back. Their reasons are left out.
func (g *Generation) Follows() ([]trust.Statement, error) {
	var said []trust.Statement
	err := g.read(func(s *snapshot) error {
		said = nil
		return s.view(func(t *table) error {
			rows, err := t.rows()
			for i := 0; i < len(rows) && err == nil; i++ {
				if rows[i].edges {
					said, err = t.follows(said, rows[i].num)
				}
			}
			return err
		})
	})
	return said, err
}

// follows appends what one log says about others.
func (t *table) follows(said []trust.Statement, num uint32) ([]trust.Statement, error) {
	l, err := t.log(num)
	if err != nil {
		return nil, err
	}
	b, err := t.Value(logValue(valueFollows, num))
	if err != nil {
		return nil, err
	}
	return decodeFollows(said, b, &l.Keys)
}

func decodeFollows(said []trust.Statement, b []byte, keys *records.Log) ([]trust.Statement, error) {
	d := codec.Decode(b)
	for range d.Count(1) {
		s, err := store.ReadSaid(d.Text(), keys)
		if err != nil {
			return nil, err
		}
		said = append(said, s.Statement)
	}
	return said, d.Finish()
}

// encodeEdges writes the edges that leave one log.
func encodeEdges(edges []trust.Edge) []byte {
	var e codec.Encoder
	e.Uint(uint64(len(edges)))
	for i := range edges {
		x := &edges[i]
		e.Text(x.To)
		e.Int(int64(x.Weight))
		e.Int(int64(x.Depth))
		e.Texts(x.Scopes)
		e.Int(x.Issued)
		e.Int(x.Expires)
	}
	return e.B
}

// minEdge is how many bytes an edge takes at least.
const minEdge = 6

func decodeEdge(d *codec.Decoder, from string) trust.Edge {
	return trust.Edge{
		From: from, To: d.Text(), Weight: d.Short(), Depth: d.Short(), Scopes: d.Texts(), Issued: d.Int(), Expires: d.Int(),
	}
}
