package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// scaleRows are those of docs/scale.md, in the order in which they are shown.
func scaleRows() []row {
	people := []need{needPopulation}
	return []row{
		{"S1", "first sync of everybody", scaleFirstSync, people},
		{"S2", "what lies on the disk", scaleDisk, people},
		{"S3", "make the index again", scaleRebuild, people},
		{"S4", "ask", scaleAsk, people},
		{"S5", "ask, everybody followed directly", scaleAskWide, people},
		{"S6", "sync without news", scaleNoNews, people},
		{"S7", "a day", scaleDay, people},
	}
}

func needPopulation(_ context.Context, b *bench) error {
	_, err := b.population()
	return err
}

// costs is a line of the simulation.
func costs(job string, s samples, besides ...string) line {
	if n := s.written(); n > 0 {
		besides = append(besides, "wrote "+mebibytes(n))
	}
	return line{job: job, ours: duration(s.median(wall)), peer: duration(s.median(cpu)), ratio: strings.Join(besides, ", "), memory: mebibytes(s.memory())}
}

// once is a command that is run a single time.
func (b *bench) once(ctx context.Context, c command) (samples, error) {
	s, err := c.run(ctx, false)
	return samples{runs: []sample{s}, peaks: []int64{s.memory}}, err
}

func (b *bench) inNetwork() string {
	return fmt.Sprintf("%s logs with %s records each", thousands(b.sizes.logs), thousands(b.sizes.said))
}

// scaleFirstSync is S1.
func scaleFirstSync(ctx context.Context, b *bench) ([]line, error) {
	if err := os.RemoveAll(filepath.Join(b.dir, "citizen.made")); err != nil {
		return nil, err
	}
	var s samples
	b.web.traffic()
	_, _, err := b.citizen(ctx, func(one sample) { s = samples{runs: []sample{one}, peaks: []int64{one.memory}} })
	if err != nil {
		return nil, err
	}
	requests, bytes := b.web.traffic()
	count := b.sizes.logs * b.sizes.said
	rate := fmt.Sprintf("%s records/s a core", thousands(int(float64(count)/s.median(cpu).Seconds())))
	return []line{
		costs(fmt.Sprintf("first sync of %s: %d followed, the others through them", b.inNetwork(), b.sizes.followed()), s, rate),
		{job: "the same, on the wire", ratio: fmt.Sprintf("%s requests, %s", thousands(int(requests)), mebibytes(bytes))},
	}, nil
}

// part is something of a home that lies on the disk.
type part struct {
	name         string
	files, bytes int64
}

// scaleDisk is S2.
func scaleDisk(ctx context.Context, b *bench) ([]line, error) {
	u, _, err := b.citizen(ctx, unmeasured)
	if err != nil {
		return nil, err
	}
	dirs, err := u.dirs()
	if err != nil {
		return nil, err
	}
	parts := []*part{{name: "index"}, {name: "record stores"}, {name: "git stores, with their lists of files"}, {name: "pins"}}
	for root, which := range map[string]func(path string) *part{
		dirs.Cache:  func(string) *part { return parts[0] },
		dirs.Pins(): func(string) *part { return parts[3] },
		dirs.Sources(): func(path string) *part {
			if filepath.Dir(path) == dirs.Sources() {
				return parts[1]
			}
			return parts[2]
		},
	} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			p := which(path)
			p.files++
			p.bytes += info.Size()
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var lines []line
	for _, p := range parts {
		lines = append(lines, line{job: "on the disk: " + p.name, ratio: fmt.Sprintf("%s, %s files, %s B a record",
			mebibytes(p.bytes), thousands(int(p.files)), thousands(int(p.bytes)/(b.sizes.logs*b.sizes.said)))})
	}
	out, err := command{args: []string{"du", "-sk", dirs.Data, dirs.Cache, dirs.State}}.output(ctx)
	if err != nil {
		return nil, err
	}
	var all int64
	for text := range strings.Lines(string(out)) {
		var kib int64
		if _, err := fmt.Sscan(text, &kib); err != nil {
			return nil, err
		}
		all += kib << 10
	}
	return append(lines, line{job: "on the disk: all of it, in whole blocks", ratio: mebibytes(all)}), nil
}

func unmeasured(sample) {}

// wide is a user with an index of their own over the same records, who follows everybody directly. What
// it gives besides runs the program so.
func (b *bench) wide(ctx context.Context) (u user, runs func(exit int, args ...string) command, err error) {
	c, people, err := b.citizen(ctx, unmeasured)
	if err != nil {
		return u, nil, err
	}
	theirs, err := c.dirs()
	if err != nil {
		return u, nil, err
	}
	u = b.user(filepath.Join(b.dir, "wide"))
	runs = func(exit int, args ...string) command {
		c := u.ends(exit, args...)
		c.env = append(c.env, "DISTRUST_DATA_DIR="+theirs.Data, "DISTRUST_STATE_DIR="+theirs.State)
		return c
	}
	_, err = b.kept("wide", func(string) error {
		if err := u.newcomerTo(ctx, people, 0); err != nil {
			return err
		}
		if err := u.forgetIndex(); err != nil { // of the home that newcomers have
			return err
		}
		_, err := runs(3, "check", "--no-journal", nobodysDigest).run(ctx, false)
		return err
	})
	return u, runs, err
}

// forgetIndex has the next command make the index again.
func (u user) forgetIndex() error {
	dirs, err := u.dirs()
	if err != nil {
		return err
	}
	return os.RemoveAll(dirs.Cache)
}

// scaleRebuild is S3.
func scaleRebuild(ctx context.Context, b *bench) ([]line, error) {
	u, wide, err := b.wide(ctx)
	if err != nil {
		return nil, err
	}
	again := wide(3, "check", "--no-journal", nobodysDigest)
	again.before = u.forgetIndex
	runs, err := alternate(ctx, b.sizes.longRounds, again)
	if err != nil {
		return nil, err
	}
	rate := float64(b.sizes.logs*b.sizes.said) / runs[0].median(wall).Seconds()
	return []line{costs("the whole index made again from the record stores", runs[0], thousands(int(rate))+" records/s")}, nil
}

// nobodysDigest is one of which nobody speaks.
const nobodysDigest = "sha256:00000000000000000000000000000000000000000000000000000000000000ff"

// question is something that a user asks, and the exit code of the answer.
type question struct {
	job  string
	exit int
	args []string
}

// questions are asked of the whole network.
func (b *bench) questions(home string, people []*person) ([]question, error) {
	digest := func(p *person) string {
		return "sha256:" + p.statement(b.sizes.said-1, begun()).Subjects[0].Digest.SHA256
	}
	files := filepath.Join(home, "files")
	if err := os.MkdirAll(files, 0o700); err != nil {
		return nil, err
	}
	popular, other := filepath.Join(files, "popular-1.0.tar.gz"), filepath.Join(files, people[0].statement(b.sizes.said-1, begun()).Subjects[0].File)
	for file, content := range map[string]string{popular: popularContent, other: "other bytes"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	return []question{
		{"check of a file that one of them knows, whom the user follows", 0, []string{"check", "--no-journal", digest(people[0])}},
		{"check of a file that nobody knows", 3, []string{"check", "--no-journal", nobodysDigest}},
		{fmt.Sprintf("check of a file that %d logs speak of", popularWith), 0, []string{"check", "--no-journal", popular}},
		{"why of the same", 0, []string{"why", popular}},
		{fmt.Sprintf("check of other bytes under a name and project that all %s logs know", thousands(len(people))), 6, []string{
			"check", "--no-journal", "--for", people[0].statement(b.sizes.said-1, begun()).Project, other,
		}},
		{"alarms --brief", 0, []string{"alarms", "--brief"}},
		{"version", 0, []string{"version"}},
	}, nil
}

// ask asks all questions in turns.
func (b *bench) ask(ctx context.Context, runs func(exit int, args ...string) command, questions []question) ([]line, error) {
	commands := make([]command, len(questions))
	for i, q := range questions {
		commands[i] = runs(q.exit, q.args...)
	}
	asked, err := alternate(ctx, b.sizes.rounds, commands...)
	if err != nil {
		return nil, err
	}
	var lines []line
	for i, q := range questions {
		lines = append(lines, costs(q.job, asked[i]))
	}
	return lines, nil
}

// scaleAsk is S4.
func scaleAsk(ctx context.Context, b *bench) ([]line, error) {
	u, people, err := b.citizen(ctx, unmeasured)
	if err != nil {
		return nil, err
	}
	questions, err := b.questions(u.home, people)
	if err != nil {
		return nil, err
	}
	return b.ask(ctx, u.ends, questions)
}

// scaleAskWide is S5.
func scaleAskWide(ctx context.Context, b *bench) ([]line, error) {
	u, wide, err := b.wide(ctx)
	if err != nil {
		return nil, err
	}
	people, err := b.everybody()
	if err != nil {
		return nil, err
	}
	questions, err := b.questions(u.home, people)
	if err != nil {
		return nil, err
	}
	lines, err := b.ask(ctx, wide, questions[:3])
	for i := range lines {
		lines[i].job += ", everybody followed directly"
	}
	return lines, err
}

// scaleNoNews is S6.
func scaleNoNews(ctx context.Context, b *bench) ([]line, error) {
	u, people, err := b.citizen(ctx, unmeasured)
	if err != nil {
		return nil, err
	}
	if err := b.haveNews(ctx, people, false); err != nil {
		return nil, err
	}
	one, err := alternate(ctx, b.sizes.longRounds, b.web.reaches(u.does("sync", "--quiet", people[0].name)))
	if err != nil {
		return nil, err
	}
	b.web.traffic()
	all, err := b.once(ctx, b.web.reaches(u.does("sync", "--quiet")))
	if err != nil {
		return nil, err
	}
	requests, bytes := b.web.traffic()
	return []line{
		costs("sync without news of one source of them", one[0]),
		costs(fmt.Sprintf("sync without news of all %s", thousands(len(people))), all,
			fmt.Sprintf("%s requests, %s", thousands(int(requests)), mebibytes(bytes))),
	}, nil
}

// scaleDay is S7. It works in a copy, since there is only one such day.
func scaleDay(ctx context.Context, b *bench) ([]line, error) {
	c, people, err := b.citizen(ctx, unmeasured)
	if err != nil {
		return nil, err
	}
	dir, err := b.fresh("citizen")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	u := b.user(dir)
	if err := copied(ctx, c.home, u.home, command{}).before(); err != nil {
		return nil, err
	}
	if err := b.haveNews(ctx, people, true); err != nil {
		return nil, err
	}
	b.web.traffic()
	day, err := b.once(ctx, b.web.reaches(u.does("sync", "--quiet")))
	if err != nil {
		return nil, err
	}
	requests, bytes := b.web.traffic()
	file := filepath.Join(u.home, "file")
	if err := os.WriteFile(file, []byte("a file"), 0o600); err != nil {
		return nil, err
	}
	said, err := b.once(ctx, u.does("trust", file, "--key", filepath.Join(u.home, "key")))
	if err != nil {
		return nil, err
	}
	logs := (len(people) + newsEvery - 1) / newsEvery
	return []line{
		costs(fmt.Sprintf("sync of a day: %s of the logs have %d new records each, %s in all", thousands(logs), news, thousands(logs*news)), day,
			fmt.Sprintf("%s requests, %s", thousands(int(requests)), mebibytes(bytes))),
		costs("trust FILE", said),
	}, b.haveNews(ctx, people, false)
}
