package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/sshsig"
)

// inIndex says what the index holds.
func (b *bench) inIndex() string {
	return fmt.Sprintf("index of %s records from %s sources", thousands(b.sizes.logs*b.sizes.said), thousands(b.sizes.logs))
}

// checkLarge is P1.
func checkLarge(ctx context.Context, b *bench) ([]line, error) {
	u, err := b.reader(ctx)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(u.home, largeFile)
	runs, err := alternate(ctx, b.sizes.longRounds+2, u.does("check", file), command{args: []string{"sha256sum", file}})
	if err != nil {
		return nil, err
	}
	return []line{comparison{
		job:  fmt.Sprintf("check of %s, %s | sha256sum", mebibytes(b.sizes.file), b.inIndex()),
		ours: runs[0], peer: runs[1], of: wall, most: 0.65, peak: 24 << 20,
	}.line()}, nil
}

// checkSmall is P2. gpg and minisign do what ssh-keygen does with other keys.
func checkSmall(ctx context.Context, b *bench) ([]line, error) {
	u, err := b.reader(ctx)
	if err != nil {
		return nil, err
	}
	peers, err := b.verifiers(ctx, filepath.Join(u.home, smallFile))
	if err != nil {
		return nil, err
	}
	small := filepath.Join(u.home, smallFile)
	runs, err := alternate(ctx, b.sizes.rounds, append([]command{u.does("check", small), u.does("version")}, peers...)...)
	if err != nil {
		return nil, err
	}
	ours := runs[0]
	lines := []line{
		comparison{job: "check of 1 KiB, " + b.inIndex() + " | ssh-keygen -Y verify", ours: ours, peer: runs[2], of: wall, most: 0.75}.line(),
		comparison{job: "the same | gpg --verify", ours: ours, peer: runs[3], of: wall}.line(),
		comparison{job: "the same | minisign -V", ours: ours, peer: runs[4], of: wall}.line(),
		comparison{job: "start-up: distrust version | ssh-keygen -Y verify", ours: runs[1], peer: runs[2], of: wall}.line(),
	}
	return lines, nil
}

// verifiers are the commands that verify a signature over a file: ssh-keygen, gpg and minisign.
func (b *bench) verifiers(ctx context.Context, file string) ([]command, error) {
	p, err := newPerson("signer")
	if err != nil {
		return nil, err
	}
	dir, err := b.kept("verifiers", func(dir string) error {
		if err := os.MkdirAll(filepath.Join(dir, ".gnupg"), 0o700); err != nil {
			return err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		armored, err := sshsig.Sign(content, p.ssh, "file")
		if err != nil {
			return err
		}
		for name, b := range map[string][]byte{
			"file": content, "file.sig": armored, "allowed": []byte("signer@example.org " + p.key.String() + "\n"),
		} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				return err
			}
		}
		for _, args := range []string{
			"gpg --batch --quiet --passphrase  --quick-gen-key signer@example.org ed25519 sign never",
			"gpg --batch --quiet --yes --detach-sign --output file.gpg file",
			"gpgconf --kill all",
			"minisign -G -W -f -p minisign.pub -s minisign.key",
			"minisign -S -s minisign.key -m file",
		} {
			if _, err := (command{args: strings.Split(args, " "), dir: dir, env: stockEnv(dir)}).output(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	peer := func(args string) command {
		return command{args: strings.Fields(args), dir: dir, env: stockEnv(dir), stdin: filepath.Join(dir, "file")}
	}
	return []command{
		peer("ssh-keygen -Y verify -f allowed -I signer@example.org -n file -s file.sig"),
		peer("gpg --batch --quiet --verify file.gpg file"),
		peer("minisign -V -q -p minisign.pub -m file"),
	}, err
}

// lookUp is P3: what the index adds to a program that has none.
func lookUp(ctx context.Context, b *bench) ([]line, error) {
	u, err := b.reader(ctx)
	if err != nil {
		return nil, err
	}
	empty, err := b.fresh("empty")
	if err != nil {
		return nil, err
	}
	p, err := newPerson("reader-7")
	if err != nil {
		return nil, err
	}
	digest := "sha256:" + p.statement(11, begun()).Subjects[0].Digest.SHA256
	runs, err := alternate(ctx, b.sizes.rounds, u.does("check", "--no-journal", digest), b.user(empty).ends(3, "check", "--no-journal", digest))
	if err != nil {
		return nil, err
	}
	with, without := runs[0], runs[1]
	more, memory := with.median(wall)-without.median(wall), with.memory()-without.memory()
	l := comparison{job: "check of a digest, " + b.inIndex() + " | the same program without an index", ours: with, peer: without, of: wall}.line()
	l.ratio = fmt.Sprintf("%s, %+.1f MiB", signed(more), float64(memory)/(1<<20))
	l.goal, l.met = "≤ 0.3 ms and 1 MiB more", meets(more <= 300*time.Microsecond && memory <= 1<<20)
	built, err := b.rebuild(ctx, u)
	return append([]line{l}, built...), err
}

// keysOfRecord is under how many keys the index finds a record about a file of a release: its digest,
// its name, its name in the project, and its id.
const keysOfRecord = 4

// rebuild has the program make its index again from the record stores.
func (b *bench) rebuild(ctx context.Context, u user) ([]line, error) {
	dirs, err := u.dirs()
	if err != nil {
		return nil, err
	}
	again := u.does("check", "--no-journal", filepath.Join(u.home, smallFile))
	again.before = func() error { return os.RemoveAll(dirs.Cache) }
	runs, err := alternate(ctx, b.sizes.longRounds, again)
	if err != nil {
		return nil, err
	}
	count := b.sizes.logs * b.sizes.said
	rate := float64(count) / runs[0].median(wall).Seconds()
	built := alone("check when the whole index has to be made again from the record stores", runs[0], wall, 0, 0)
	built.ratio, built.goal, built.met = thousands(int(rate))+" records/s", "≥ 100,000 records/s", meets(rate >= 100_000)
	files, err := filepath.Glob(filepath.Join(dirs.Cache, "index-*")) // of the generation: no other was ever there
	if err != nil {
		return nil, err
	}
	var size int64
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return nil, err
		}
		size += info.Size()
	}
	a := float64(size) / float64(count)
	return []line{built, {
		job:  "size of the index",
		ours: fmt.Sprintf("%s, %.0f B a record", mebibytes(size), a), ratio: fmt.Sprintf("%.0f B a key", a/keysOfRecord),
		goal: "≤ 100 B a key", met: meets(a/keysOfRecord <= 100),
	}}, nil
}

// size is P12.
func size(ctx context.Context, b *bench) ([]line, error) {
	info, err := os.Stat(b.program)
	if err != nil {
		return nil, err
	}
	u, err := b.reader(ctx)
	if err != nil {
		return nil, err
	}
	runs, err := alternate(ctx, b.sizes.rounds, u.does("check", filepath.Join(u.home, smallFile)))
	if err != nil {
		return nil, err
	}
	return []line{
		{job: "the program, stripped", ours: fmt.Sprintf("%.1f MB", float64(info.Size())/1e6), goal: "≤ 18 MB", met: meets(info.Size() <= 18e6)},
		{job: "memory of a check of 1 KiB, " + b.inIndex(), memory: mebibytes(runs[0].memory()), goal: "≤ 16 MiB", met: meets(runs[0].memory() <= 16<<20)},
	}, nil
}

// pass is P8: these are functions, so that Go's own benchmarks time them.
func pass(ctx context.Context, _ *bench) ([]line, error) {
	out, err := command{
		args: []string{"go", "test", "-run", "^$", "-bench", "^(BenchmarkPass|BenchmarkScore)$", "-benchtime", "0.5s", "./records/trust"}, env: os.Environ(),
	}.output(ctx)
	if err != nil {
		return nil, err
	}
	var lines []line
	for _, want := range []struct {
		name, job string
		most      time.Duration
	}{
		{"BenchmarkPass/10000_sources", "network pass, 10,000 sources, 100,000 edges", 5 * time.Millisecond},
		{"BenchmarkPass/1000000_sources", "network pass, 1,000,000 sources, 10,000,000 edges", 60 * time.Millisecond},
		{"BenchmarkScore/pack", "score of 20 voices", 10 * time.Microsecond},
	} {
		took, err := timed(string(out), want.name)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line{job: want.job, ours: duration(took), goal: "≤ " + duration(want.most), met: meets(took <= want.most)})
	}
	return lines, nil
}

// timed finds a benchmark in what go test printed.
func timed(out, name string) (time.Duration, error) {
	for text := range strings.Lines(out) {
		fields := strings.Fields(text)
		if len(fields) < 4 || fields[3] != "ns/op" || fields[0] != name && !strings.HasPrefix(fields[0], name+"-") {
			continue
		}
		ns, err := strconv.ParseFloat(fields[2], 64)
		return time.Duration(ns), err
	}
	return 0, fmt.Errorf("no benchmark %s in\n%s", name, out)
}

// alarms is P10.
func alarms(ctx context.Context, b *bench) ([]line, error) {
	u, err := b.watcher(ctx)
	if err != nil {
		return nil, err
	}
	runs, err := alternate(ctx, b.sizes.rounds, u.does("alarms"), u.does("version"))
	if err != nil {
		return nil, err
	}
	more := runs[0].median(wall) - runs[1].median(wall)
	l := comparison{job: fmt.Sprintf("alarms, %s accepted files | distrust version", thousands(b.sizes.journal)), ours: runs[0], peer: runs[1], of: wall}.line()
	l.ratio, l.goal, l.met = signed(more), "≤ 1 ms more", meets(more <= time.Millisecond)
	return []line{l}, nil
}

// trustFile is P11.
func trustFile(ctx context.Context, b *bench) ([]line, error) {
	u, err := b.writer(ctx)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(u.home, "file")
	say := u.does("trust", file, "--key", filepath.Join(u.home, "key"))
	say.before = func() error { return os.WriteFile(file, fmt.Appendf(nil, "%d", time.Now().UnixNano()), 0o600) }
	runs, err := alternate(ctx, b.sizes.longRounds+2, say)
	if err != nil {
		return nil, err
	}
	return []line{alone(fmt.Sprintf("trust FILE, home of %s records, CPU", thousands(b.sizes.home)), runs[0], cpu, 500*time.Millisecond, 0)}, nil
}
