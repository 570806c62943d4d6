package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/schema"
)

// user is somebody's home folder, with our program in it.
type user struct {
	home    string
	program string
}

func (b *bench) user(home string) user { return user{home: home, program: b.program} }

// does is a run of our program that should end well.
func (u user) does(args ...string) command {
	return command{args: append([]string{u.program}, args...), env: stockEnv(u.home)}
}

// ends is a run of our program that should end with a code.
func (u user) ends(exit int, args ...string) command {
	c := u.does(args...)
	c.exit = exit
	return c
}

// dirs are our folders in the home.
func (u user) dirs() (config.Dirs, error) {
	return config.Locate(func(string) string { return "" }, func() (string, error) { return u.home, nil })
}

// follows adds people to sources.yml, as somebody has it who brings it to a new machine.
func (u user) follows(people []*person, address func(*person) string) error {
	dirs, err := u.dirs()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dirs.Config, 0o700); err != nil {
		return err
	}
	return config.EditSources(dirs, func(sources []config.Source) ([]config.Source, error) {
		for _, p := range people {
			sources = append(sources, config.Source{
				Name: p.name, Log: p.log, URL: address(p), Fingerprint: p.key.Fingerprint(), Insecure: true,
				Weight: config.WeightFull, ViaMax: config.DefaultViaMax,
				Limits: config.Limits{Timeout: time.Hour, Idle: time.Hour}, // others use this machine, too
			})
		}
		return sources, nil
	})
}

// The files that are checked, in the folder of the reader.
const (
	largeFile = "large.bin"
	smallFile = "small.bin"
)

// writeRandom writes a seeded file of random bytes, and gives its digest.
func writeRandom(path string, size int64) (schema.Digest, error) {
	f, err := os.Create(path)
	if err != nil {
		return schema.Digest{}, err
	}
	defer f.Close()
	hash := sha256.New()
	random := rand.NewChaCha8([32]byte{1})
	block := make([]byte, 1<<20)
	for size > 0 {
		part := block[:min(size, int64(len(block)))]
		_, _ = random.Read(part) // it never fails
		hash.Write(part)
		if _, err := f.Write(part); err != nil {
			return schema.Digest{}, err
		}
		size -= int64(len(part))
	}
	return schema.Digest{SHA256: hex.EncodeToString(hash.Sum(nil))}, f.Close()
}

// reader follows many logs, whose records are all in the index. They are signed and opened for real, and
// brought into the index by its own writer; what is left out is git.
func (b *bench) reader(ctx context.Context) (user, error) {
	dir, err := b.kept("reader", func(dir string) error {
		u := b.user(dir)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		var subjects []schema.Subject
		for name, size := range map[string]int64{smallFile: 1 << 10, largeFile: b.sizes.file} {
			digest, err := writeRandom(filepath.Join(dir, name), size)
			if err != nil {
				return err
			}
			subjects = append(subjects, schema.Subject{File: name, Size: size, Digest: digest})
		}
		people, err := newPeople("reader", b.sizes.logs)
		if err != nil {
			return err
		}
		if err := u.fill(ctx, people, b.sizes.said, subjects); err != nil {
			return err
		}
		if err := u.follows(people, func(p *person) string { return "https://example.org/" + p.name }); err != nil {
			return err
		}
		key := filepath.Join(dir, "key")
		if err := people[0].keyFile(key); err != nil {
			return err
		}
		_, err = u.does("init", "--key", key).output(ctx) // which compiles the settings into the index
		return err
	})
	return b.user(dir), err
}

// fillAtOnce is how many logs come into the index together.
const fillAtOnce = 50

// fill brings the records of people into the index. The first one also says that the subjects are good.
func (u user) fill(ctx context.Context, people []*person, said int, subjects []schema.Subject) error {
	dirs, err := u.dirs()
	if err != nil {
		return err
	}
	at := begun()
	for from := 0; from < len(people); from += fillAtOnce {
		some := people[from:min(from+fillAtOnce, len(people))]
		updates := make([]index.Update, len(some))
		err := inParallel(len(some), func(i int) (err error) {
			var also []schema.Subject
			if from+i == 0 {
				also = subjects
			}
			updates[i], err = some[i].update(said, also, at)
			return err
		})
		if err != nil {
			return err
		}
		if err := index.Apply(ctx, index.Dir{Cache: dirs.Cache, Data: dirs.Data}, updates, index.Config{}); err != nil {
			return err
		}
	}
	return nil
}

// update is all that a person says, opened. The first record is about also, if there is anything.
func (p *person) update(said int, also []schema.Subject, at time.Time) (index.Update, error) {
	envelopes := make([]records.Envelope, said)
	sums := map[string][sha256.Size]byte{}
	for i := range envelopes {
		doc := p.statement(i, at)
		if i == 0 && also != nil {
			doc.Subjects = also
		}
		e, err := p.seal(doc)
		if err != nil {
			return index.Update{}, err
		}
		envelopes[i] = e
		sums[e.Path], sums[records.SignaturePath(e.Path)] = sha256.Sum256(e.YAML), sha256.Sum256(e.Sig)
	}
	head, err := p.firstHead(records.RootOf(sums), int64(said), at.Add(24*time.Hour))
	if err != nil {
		return index.Update{}, err
	}
	u := index.Update{Log: p.log, Head: head}
	for _, e := range envelopes {
		r, err := records.Open(e, head.Log())
		if err != nil {
			return index.Update{}, err
		}
		u.Add = append(u.Add, index.Entry{Record: r})
	}
	return u, nil
}

// writer has a home of many records, and a key that signs there.
func (b *bench) writer(ctx context.Context) (user, error) {
	p, err := newPerson("writer")
	if err != nil {
		return user{}, err
	}
	dir, err := b.kept("writer", func(dir string) error {
		repository, err := b.repository(ctx, p, b.sizes.home)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		key := filepath.Join(dir, "key")
		if err := p.keyFile(key); err != nil {
			return err
		}
		_, err = b.user(dir).does("init", repository, "--key", key).output(ctx)
		return err
	})
	return b.user(dir), err
}

// watcher has accepted many files.
func (b *bench) watcher(ctx context.Context) (user, error) {
	dir, err := b.kept("watcher", func(dir string) error {
		files := filepath.Join(dir, "files")
		if err := os.MkdirAll(files, 0o700); err != nil {
			return err
		}
		for i := range b.sizes.journal {
			if err := os.WriteFile(filepath.Join(files, fmt.Sprintf("file-%d", i)), fmt.Appendf(nil, "content %d", i), 0o600); err != nil {
				return err
			}
		}
		_, err := b.user(dir).does("journal", "add", "--quiet", files).output(ctx)
		return err
	})
	return b.user(dir), err
}
