package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// parallel is how many sources a sync fetches at once.
const parallel = 8

// newcomer is a machine with nothing but sources.yml: before each run all else is gone.
func (b *bench) newcomer(name string, people []*person) (user, command, error) {
	dir, err := b.fresh(name)
	if err != nil {
		return user{}, command{}, err
	}
	u := b.user(dir)
	sync := u.does("sync", "--quiet")
	sync.before = func() error {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		return u.follows(people, func(p *person) string { return b.server.address(p.name + ".git") })
	}
	return u, sync, nil
}

// cloning is a peer of a first sync.
func (b *bench) cloning(p *person) (command, error) {
	dir, err := b.fresh("clone")
	if err != nil {
		return command{}, err
	}
	clone := filepath.Join(dir, p.name+".git")
	return command{
		args:   []string{"git", "clone", "--bare", "-q", b.server.address(p.name + ".git"), clone},
		before: func() error { return os.RemoveAll(clone) },
	}, nil
}

// firstSync measures a sync of one source on a machine that has nothing, beside a clone.
func (b *bench) firstSync(ctx context.Context, p *person, rounds int) (ours, peer samples, err error) {
	_, sync, err := b.newcomer("newcomer", []*person{p})
	if err != nil {
		return samples{}, samples{}, err
	}
	clone, err := b.cloning(p)
	if err != nil {
		return samples{}, samples{}, err
	}
	runs, err := alternate(ctx, rounds, sync, clone)
	if err != nil {
		return samples{}, samples{}, err
	}
	return runs[0], runs[1], nil
}

// more is how many records the news of P7 brings.
const more = 100

// large is the source of P4 and P7, in its first state.
func (b *bench) large(ctx context.Context) (*person, string, error) {
	p, err := newPerson("large")
	if err != nil {
		return nil, "", err
	}
	repository, err := b.repository(ctx, p, b.sizes.large, b.sizes.large+more)
	if err != nil {
		return nil, "", err
	}
	return p, repository, atState(ctx, repository, 0)
}

// syncLarge is P4.
func syncLarge(ctx context.Context, b *bench) ([]line, error) {
	p, _, err := b.large(ctx)
	if err != nil {
		return nil, err
	}
	ours, peer, err := b.firstSync(ctx, p, b.sizes.longRounds)
	if err != nil {
		return nil, err
	}
	job := fmt.Sprintf("first sync of %s records over http", thousands(b.sizes.large))
	l := comparison{job: job + " | git clone --bare", ours: ours, peer: peer, of: wall, peak: 128 << 20}.line()
	used := alone("the same, CPU", ours, cpu, 0, 0)
	rate := float64(b.sizes.large) / ours.median(cpu).Seconds()
	used.ratio, used.goal, used.met = thousands(int(rate))+" records/s a core", "≥ 5,000 records/s a core", meets(rate >= 5000)
	return []line{l, used}, nil
}

// medium is the source of P5.
func (b *bench) medium(ctx context.Context) (*person, error) {
	p, err := newPerson("medium")
	if err != nil {
		return nil, err
	}
	_, err = b.repository(ctx, p, b.sizes.medium)
	return p, err
}

// syncMedium is P5.
func syncMedium(ctx context.Context, b *bench) ([]line, error) {
	p, err := b.medium(ctx)
	if err != nil {
		return nil, err
	}
	ours, peer, err := b.firstSync(ctx, p, b.sizes.longRounds+2)
	if err != nil {
		return nil, err
	}
	job := fmt.Sprintf("first sync of %s records over http | git clone --bare", thousands(b.sizes.medium))
	return []line{comparison{job: job, ours: ours, peer: peer, of: wall, most: 6}.line()}, nil
}

// network is so many people who have said so much together.
func (b *bench) network(ctx context.Context, people, statements int) ([]*person, error) {
	network, err := newPeople(fmt.Sprintf("one-of-%d-%d", people, statements), people)
	if err != nil {
		return nil, err
	}
	for _, p := range network {
		if _, err := b.repository(ctx, p, statements/people); err != nil {
			return nil, err
		}
	}
	return network, nil
}

// syncNoNews is P6.
func syncNoNews(ctx context.Context, b *bench) ([]line, error) {
	network, err := b.network(ctx, b.sizes.people, b.sizes.statements[0])
	if err != nil {
		return nil, err
	}
	network = network[:b.sizes.sources]
	_, first, err := b.newcomer("follower", network)
	if err != nil {
		return nil, err
	}
	if _, err := first.run(ctx, false); err != nil {
		return nil, err
	}
	again := first
	again.before = nil
	clones, err := b.fresh("clones")
	if err != nil {
		return nil, err
	}
	for _, p := range network {
		if err := git(ctx, clones, "clone", "--bare", "-q", b.server.address(p.name+".git")); err != nil {
			return nil, err
		}
	}
	fetch := command{dir: clones, args: []string{"sh", "-c", fmt.Sprintf("ls | xargs -P %d -I {} git -C {} fetch -q origin main", parallel)}}
	runs, err := alternate(ctx, b.sizes.longRounds+2, again, fetch)
	if err != nil {
		return nil, err
	}
	job := fmt.Sprintf("sync without news, %d sources over http | as many git fetch, %d at once", b.sizes.sources, parallel)
	return []line{
		comparison{job: job, ours: runs[0], peer: runs[1], of: wall, most: 1.5}.line(),
		comparison{job: "the same, CPU", ours: runs[0], peer: runs[1], of: cpu}.line(),
	}, nil
}

// copied gives a command that runs in a copy of a folder, which is made anew before each run.
func copied(ctx context.Context, from, to string, c command) command {
	c.before = func() error {
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		_, err := command{args: []string{"cp", "-a", from, to}}.output(ctx)
		return err
	}
	return c
}

// syncHundred is P7.
func syncHundred(ctx context.Context, b *bench) ([]line, error) {
	p, repository, err := b.large(ctx)
	if err != nil {
		return nil, err
	}
	follower, first, err := b.newcomer("large-follower", []*person{p})
	if err != nil {
		return nil, err
	}
	if _, err := first.run(ctx, false); err != nil {
		return nil, err
	}
	clone, err := b.cloning(p)
	if err != nil {
		return nil, err
	}
	if _, err := clone.run(ctx, false); err != nil {
		return nil, err
	}
	if err := atState(ctx, repository, 1); err != nil {
		return nil, err
	}
	home := follower.home + "-copy"
	ours := copied(ctx, follower.home, home, b.user(home).does("sync", "--quiet"))
	mirror := filepath.Join(b.dir, "run", "clone-copy")
	peer := copied(ctx, filepath.Join(b.dir, "run", "clone", p.name+".git"), mirror, command{dir: mirror, args: []string{"git", "fetch", "-q", "origin", "main"}})
	runs, err := alternate(ctx, b.sizes.longRounds, ours, peer)
	if err != nil {
		return nil, err
	}
	job := fmt.Sprintf("sync of %d new records on %s, CPU", more, thousands(b.sizes.large))
	return []line{
		alone(job, runs[0], cpu, time.Second, 128<<20),
		comparison{job: "the same, wall | git fetch", ours: runs[0], peer: runs[1], of: wall}.line(),
	}, nil
}

// cold is P13.
func cold(ctx context.Context, b *bench) ([]line, error) {
	var lines []line
	for _, statements := range b.sizes.statements {
		more, err := b.coldAt(ctx, statements)
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
	return lines, nil
}

func (b *bench) coldAt(ctx context.Context, statements int) ([]line, error) {
	network, err := b.network(ctx, b.sizes.people, statements)
	if err != nil {
		return nil, err
	}
	u, sync, err := b.newcomer("cold", network)
	if err != nil {
		return nil, err
	}
	digest := "sha256:" + network[3].statement(5, begun()).Subjects[0].Digest.SHA256
	decide := sync
	decide.args = []string{"sh", "-c", `"$0" sync --quiet; "$0" check "$1"`, b.program, digest}
	commands := []command{decide}
	warm := u.does("check", digest)
	_, err = exec.LookPath("sq-wot")
	installed := err == nil
	if installed {
		peer, err := b.sqWot(statements)
		if err != nil {
			return nil, err
		}
		commands = append(commands, peer)
	}
	runs, err := alternate(ctx, b.sizes.longRounds, commands...)
	if err != nil {
		return nil, err
	}
	checks, err := alternate(ctx, b.sizes.rounds, warm)
	if err != nil {
		return nil, err
	}
	job := fmt.Sprintf("from nothing cached to a decision, %s signed statements of %d logs", thousands(statements), len(network))
	warmLine := alone("the same, cached", checks[0], cpu, 0, 0)
	if !installed {
		return []line{alone(job+", CPU (sq-wot is not installed)", runs[0], cpu, 0, 0), warmLine}, nil
	}
	ours, peer := runs[0], runs[1]
	l := comparison{job: job + ", CPU | sq-wot authenticate", ours: ours, peer: peer, of: cpu}.line()
	l.goal = "≤ 0.67 x, a tenth of the memory"
	l.met = meets(1.5*float64(ours.median(cpu)) <= float64(peer.median(cpu)) && 10*ours.memory() <= peer.memory())
	return []line{l, warmLine}, nil
}

// sqWot is the peer of P13: it reads an OpenPGP network and authenticates its farthest key.
func (b *bench) sqWot(statements int) (command, error) {
	ring, err := b.kept(fmt.Sprintf("openpgp-%d", statements), func(path string) error {
		return keyring(path, statements, b.sizes.certification)
	})
	root, far := rootAndFar(statements, b.sizes.certification)
	return command{args: []string{
		"sq-wot", "--keyring", ring, "--trust-root", root.fingerprint(), "authenticate", far.user, far.fingerprint(),
	}}, err
}

// checkDuringSync is the check of P2 while the source of P4 is being synced into the same index, and, at the
// same time, in the home of somebody else: that one shares nothing with the sync but the machine. Then
// again while that sync gives way, as the one does that the timer starts.
func checkDuringSync(ctx context.Context, b *bench) ([]line, error) {
	p, _, err := b.large(ctx)
	if err != nil {
		return nil, err
	}
	calm, err := b.reader(ctx)
	if err != nil {
		return nil, err
	}
	busy := b.user(filepath.Join(b.dir, "run", "busy"))
	check, elsewhere := busy.does("check", filepath.Join(busy.home, smallFile)), calm.does("check", filepath.Join(calm.home, smallFile))
	fetching := func(wrapper ...string) ([]samples, error) {
		if err := b.alsoFollows(ctx, calm, busy, p); err != nil {
			return nil, err
		}
		c := busy.does("sync", "--quiet", p.name)
		c.args = append(wrapper, c.args...)
		return whileRuns(ctx, c, check, elsewhere)
	}
	before, err := alternate(ctx, b.sizes.rounds, elsewhere)
	if err != nil {
		return nil, err
	}
	during, err := fetching()
	if err != nil {
		return nil, err
	}
	gently, err := fetching("nice", "-n", "10")
	if err != nil {
		return nil, err
	}
	job := fmt.Sprintf("check of 1 KiB while a sync of %s records runs", thousands(b.sizes.large))
	return []line{
		comparison{job: job + " into its index | meanwhile elsewhere", ours: during[0], peer: during[1], of: wall, most: 1.05}.line(),
		comparison{job: job + ", as the timer starts it (nice 10) | without", ours: gently[0], peer: before[0], of: wall}.line(),
		comparison{job: job + ", which uses all cores | without", ours: during[0], peer: before[0], of: wall}.line(),
	}, nil
}

// whileRuns runs commands in turns for as long as another one takes.
func whileRuns(ctx context.Context, long command, commands ...command) ([]samples, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() {
		_, err := long.output(ctx)
		done <- err
	}()
	during := make([]samples, len(commands))
	for {
		for i, c := range commands {
			s, err := c.run(ctx, false)
			if err != nil {
				return nil, err
			}
			during[i].runs = append(during[i].runs, s)
		}
		select {
		case err := <-done:
			return during, err
		default:
		}
	}
}

// alsoFollows makes busy a copy of u that follows p, too, has not fetched it yet, and has its settings
// in the index as after any command that writes.
func (b *bench) alsoFollows(ctx context.Context, u, busy user, p *person) error {
	if err := copied(ctx, u.home, busy.home, command{}).before(); err != nil {
		return err
	}
	if err := busy.follows([]*person{p}, func(p *person) string { return b.server.address(p.name + ".git") }); err != nil {
		return err
	}
	_, err := busy.does("init", "--key", filepath.Join(busy.home, "key")).output(ctx)
	return err
}
