package index

import (
	"slices"
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
