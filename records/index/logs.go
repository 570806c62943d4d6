package index

import (
	"slices"

	"github.com/distributed-trust/distrust/records/index/internal/codec"
	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// Logs lists all logs by id.
func (g *Generation) Logs() ([]LogInfo, error) {
	var logs []LogInfo
	err := g.read(func(s *snapshot) error {
		logs = nil
		return s.view(func(t *table) error {
			rows, err := t.rows()
			if err != nil {
				return err
			}
			for _, row := range rows {
				l, err := t.log(row.num)
				if err != nil {
					return err
				}
				logs = append(logs, l.clone())
			}
			return nil
		})
	})
	return logs, err
}

// Log is one log; false when the generation does not know it.
func (g *Generation) Log(id string) (LogInfo, bool, error) {
	var info LogInfo
	var found bool
	err := g.read(func(s *snapshot) error {
		l, err := s.findLog(id)
		if l != nil {
			info, found = l.clone(), true
		}
		return err
	})
	return info, found, err
}

// Late lists when those records of a log were issued that are newer than its head, in order; of a
// log without heads, all. For the user's own logs they are [trust.Network]'s OwnIssued: older
// records never move now (D1).
func (g *Generation) Late(log string) ([]int64, error) {
	var late []int64
	err := g.read(func(s *snapshot) error {
		l, err := s.findLog(log)
		if l != nil {
			late = slices.Clone(l.late)
		}
		return err
	})
	return late, err
}

func (l LogInfo) clone() LogInfo {
	l.Projects = slices.Clone(l.Projects)
	l.Keys.Keys = slices.Clone(l.Keys.Keys)
	l.Keys.Keep = slices.Clone(l.Keys.Keep)
	return l
}

// Network is what the logs say about each other: Sources (every log with an accepted head, by
// id; Name is what the head suggests), Edges (all public follows) and Retracted (what takes
// follows back). Own, Follows and Lost, and the user's names, are the caller's to fill in.
func (g *Generation) Network() (trust.Network, error) {
	var net trust.Network
	err := g.read(func(s *snapshot) error {
		net = trust.Network{}
		return s.view(func(t *table) error {
			b, err := t.Value(valueID(valueSources))
			if err != nil {
				return err
			}
			d := codec.Decode(b)
			count := d.Count(minRow)
			net.Sources = make([]trust.Source, 0, count)
			for range count {
				row := decodeRow(d)
				if row.head {
					net.Sources = append(net.Sources, trust.Source{Log: row.log, Name: row.name, Issued: row.issued, Expires: row.expires})
				}
				if !row.edges {
					continue
				}
				if err := t.edges(row.num, &net); err != nil {
					return err
				}
			}
			return d.Finish()
		})
	})
	return net, err
}

// edges appends what one log says about others.
func (t *table) edges(num uint32, net *trust.Network) error {
	l, err := t.log(num)
	if err != nil {
		return err
	}
	b, err := t.Value(logValue(valueEdges, num))
	if err != nil {
		return err
	}
	d := codec.Decode(b)
	for range d.Count(1) {
		s, err := store.ReadSaid(d.Text(), &l.Keys)
		if err != nil {
			return err
		}
		if s.Statement.Kind == schema.KindFollow {
			net.Edges = append(net.Edges, s.Statement)
		} else {
			net.Retracted = append(net.Retracted, s.Statement)
		}
	}
	return d.Finish()
}
