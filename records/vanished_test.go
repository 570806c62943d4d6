package records

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

func TestHostileVanishing(t *testing.T) {
	t.Parallel()
	head := firstHead(t, laptop, desktop.Listed(schema.Active, false))
	log := head.Log()
	stolen := nextHead(t, head, laptop, setState(desktop, schema.Compromised)).Log()
	at := func(minutes int) time.Time { return testStart.Add(time.Duration(minutes) * time.Minute) }
	by := func(key testkit.Key, doc schema.Record) Record { return sealRecord(t, doc, key, log) }
	mine := func(doc schema.Record) Record { return by(laptop, doc) }
	report := func(s schema.Subject) schema.Record {
		return schema.Record{Kind: schema.KindDistrust, Log: log.ID, Issued: at(10), Category: schema.Malware, Subjects: []schema.Subject{s}}
	}
	trust := func(minutes int, s ...schema.Subject) schema.Record {
		return schema.Record{Kind: schema.KindTrust, Log: log.ID, Issued: at(minutes), Subjects: s}
	}
	withdraw := func(ids ...string) schema.Record {
		return schema.Record{Kind: schema.KindWithdraw, Log: log.ID, Issued: at(20), Withdraws: ids}
	}
	hexa := func(s string, n int) string { return strings.Repeat(s, n) }
	file := schema.Subject{File: "a.sh", Size: -1, Digest: schema.Digest{SHA256: hexa("a", 64)}}
	both := schema.Subject{File: "a.sh", Size: -1, Digest: schema.Digest{SHA256: hexa("a", 64), SHA512: hexa("c", 128)}}
	other := schema.Subject{File: "a.sh", Size: -1, Digest: schema.Digest{SHA256: hexa("b", 64)}}
	renamed := schema.Subject{File: "b.sh", Size: -1, Digest: file.Digest}
	signer := func(patterns ...string) schema.Subject {
		return schema.Subject{Size: -1, Signer: "ssh:" + stranger.Text(), Pattern: patterns}
	}
	commit := schema.Subject{Size: -1, Git: schema.GitID{Commit: hexa("d", 40)}}
	tree := schema.Subject{Size: -1, Git: schema.GitID{Tree: hexa("d", 40)}}
	release := schema.Subject{Size: -1, Release: "pkg:pypi/requests@2.33.1"}
	project := schema.Subject{Size: -1, Project: "pkg:pypi/reqeusts"}
	in := func(doc schema.Record, project, version string) schema.Record {
		doc.Project, doc.Version = project, version
		return doc
	}
	until := func(doc schema.Record, minutes int) schema.Record {
		doc.Expires = at(minutes)
		return doc
	}
	two := report(file)
	two.Subjects = append(two.Subjects, other)
	r := mine(report(file))
	pypi := "pkg:pypi/requests"

	for name, c := range map[string]struct {
		report Record   // in the set before
		before []Record // besides
		after  []Record
		log    *Log
		ends   bool // else vanished
	}{
		"just gone":             {report: r},
		"withdrawn":             {report: r, after: []Record{mine(withdraw(hexa("0", 64), r.ID()))}, ends: true},
		"another was withdrawn": {report: r, after: []Record{mine(withdraw(hexa("0", 64)))}},
		"withdrawn, and then both were tidied up":  {report: r, before: []Record{mine(withdraw(r.ID()))}, ends: true},
		"withdrawn by a stolen key":                {report: r, after: []Record{by(desktop, withdraw(r.ID()))}, log: &stolen},
		"withdrawn long ago by a stolen key":       {report: r, before: []Record{by(desktop, withdraw(r.ID()))}, log: &stolen},
		"newer trust":                              {report: r, after: []Record{mine(trust(11, file))}, ends: true},
		"newer trust under another name":           {report: r, after: []Record{mine(trust(11, renamed))}, ends: true},
		"newer trust among many":                   {report: r, after: []Record{mine(trust(11, other, commit, file))}, ends: true},
		"older trust":                              {report: r, after: []Record{mine(trust(9, file))}},
		"trust of the same second":                 {report: r, after: []Record{mine(trust(10, file))}},
		"newer trust that is gone as well":         {report: r, before: []Record{mine(trust(11, file))}},
		"newer trust in other bytes":               {report: r, after: []Record{mine(trust(11, other))}},
		"newer trust by a stolen key":              {report: r, after: []Record{by(desktop, trust(11, file))}, log: &stolen},
		"newer trust that was withdrawn":           {report: r, after: []Record{mine(trust(11, file)), mine(withdraw(mine(trust(11, file)).ID()))}},
		"newer trust, expired":                     {report: r, after: []Record{mine(until(trust(11, file), 12))}},
		"newer trust, still in force":              {report: r, after: []Record{mine(until(trust(11, file), 1<<20))}, ends: true},
		"newer trust from the future":              {report: r, after: []Record{mine(trust(60*24*2, file))}},
		"newer trust in the signer only":           {report: r, after: []Record{mine(trust(11, signer("*")))}},
		"newer trust for another project":          {report: r, after: []Record{mine(in(trust(11, file), pypi, ""))}},
		"the report names the project too":         {report: mine(in(report(file), pypi, "")), after: []Record{mine(in(trust(11, file), pypi, ""))}, ends: true},
		"the report names another version":         {report: mine(in(report(file), pypi, "1")), after: []Record{mine(in(trust(11, file), pypi, "2"))}},
		"the report names the version too":         {report: mine(in(report(file), pypi, "1")), after: []Record{mine(in(trust(11, file), pypi, "1"))}, ends: true},
		"the trust names no version":               {report: mine(in(report(file), pypi, "1")), after: []Record{mine(in(trust(11, file), pypi, ""))}, ends: true},
		"both digests reported, one trusted":       {report: mine(report(both)), after: []Record{mine(trust(11, file))}},
		"one digest reported, both trusted":        {report: r, after: []Record{mine(trust(11, both))}, ends: true},
		"both and both":                            {report: mine(report(both)), after: []Record{mine(trust(11, both))}, ends: true},
		"two files, one of them trusted":           {report: mine(two), after: []Record{mine(trust(11, file))}},
		"two files, trusted by two records":        {report: mine(two), after: []Record{mine(trust(11, file)), mine(trust(12, other))}, ends: true},
		"a signer, trusted for one project":        {report: mine(report(signer())), after: []Record{mine(trust(11, signer(pypi)))}},
		"a signer, trusted for all":                {report: mine(report(signer())), after: []Record{mine(trust(11, signer(pypi, "*")))}, ends: true},
		"a signer, its file trusted":               {report: mine(report(signer())), after: []Record{mine(trust(11, file))}},
		"a commit":                                 {report: mine(report(commit)), after: []Record{mine(trust(11, commit))}, ends: true},
		"a commit, the tree of that name trusted":  {report: mine(report(commit)), after: []Record{mine(trust(11, tree))}},
		"a release, a file of it trusted":          {report: mine(report(release)), after: []Record{mine(in(trust(11, file), pypi, "2.33.1"))}},
		"a release, withdrawn":                     {report: mine(report(release)), after: []Record{mine(withdraw(mine(report(release)).ID()))}, ends: true},
		"a project, its signer trusted":            {report: mine(report(project)), after: []Record{mine(trust(11, signer("pkg:pypi/reqeusts")))}},
		"a void report vanishes too":               {report: by(desktop, report(file)), log: &stolen},
		"a report of another log is none of ours":  {report: r, after: []Record{foreignWithdraw(t, r.ID())}},
		"vanished earlier, still gone, seen twice": {report: r, before: []Record{r}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := log
			if c.log != nil {
				now = *c.log
			}
			before := append([]Record{c.report}, c.before...)
			gone, ended := Vanished(before, slices.Values(c.after), now, testNow)
			if c.ends {
				if len(gone) != 0 || len(ended) != 1 || ended[0].Report.ID() != c.report.ID() || len(ended[0].By) == 0 {
					t.Errorf("%d vanished, %d ended: %+v", len(gone), len(ended), ended)
				}
				return
			}
			if len(ended) != 0 || len(gone) != 1 || gone[0].ID() != c.report.ID() {
				t.Errorf("%d vanished, %d ended", len(gone), len(ended))
			}
		})
	}

	t.Run("still there", func(t *testing.T) {
		t.Parallel()
		gone, ended := Vanished([]Record{r}, slices.Values([]Record{r, mine(withdraw(r.ID()))}), log, testNow)
		if len(gone)+len(ended) != 0 {
			t.Errorf("%d vanished, %d ended", len(gone), len(ended))
		}
	})
	t.Run("only reports vanish", func(t *testing.T) {
		t.Parallel()
		gone, ended := Vanished([]Record{mine(trust(1, file)), mine(withdraw(hexa("0", 64)))}, slices.Values([]Record(nil)), log, testNow)
		if len(gone)+len(ended) != 0 {
			t.Errorf("%d vanished, %d ended", len(gone), len(ended))
		}
	})
	t.Run("who ended it", func(t *testing.T) {
		t.Parallel()
		a, b, c := mine(trust(11, file)), mine(trust(12, file)), mine(trust(13, other))
		_, ended := Vanished([]Record{mine(two)}, slices.Values([]Record{c, b, a}), log, testNow)
		want := []string{min(a.ID(), b.ID()), c.ID()}
		slices.Sort(want)
		if len(ended) != 1 || !slices.Equal(ended[0].By, want) {
			t.Errorf("got %+v, want %v", ended, want)
		}
	})
}

// foreignWithdraw is a withdraw of another log that names a report of ours. The key is one of ours:
// a person may write in several logs.
func foreignWithdraw(t *testing.T, id string) Record {
	log := firstHead(t, stranger, laptop.Listed(schema.Active, false)).Log()
	return sealRecord(t, schema.Record{Kind: schema.KindWithdraw, Log: log.ID, Issued: testStart, Withdraws: []string{id}}, laptop, log)
}
