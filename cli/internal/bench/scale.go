package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/schema"
)

// The network of the simulation: a user follows some people with depth 1, each of whom follows some
// others in public, and these are all that there are.
const (
	mostFollowed = 150 // by the user
	followedEach = 50  // by whom the user follows
	popularWith  = 50  // so many say that the popular file is good
	news         = 11  // records of a log on a day on which it has news
	newsEvery    = 10  // one log of so many has news on a day
)

// popularContent is a file of which many speak.
const popularContent = "popular file"

// scaleOf is the simulation of so many logs with so many records each.
func scaleOf(logs, said int) sizes {
	return sizes{name: fmt.Sprintf("scale-%dx%d", logs, said), logs: logs, said: said, rounds: 30, longRounds: 3}
}

// followed is how many of the people the user follows.
func (s sizes) followed() int { return min(mostFollowed, max(s.logs/10, 1)) }

// everybody is all people of the simulation, those whom the user follows first.
func (b *bench) everybody() ([]*person, error) {
	people, err := newPeople("scale", b.sizes.logs)
	if err != nil {
		return nil, err
	}
	followed, others := people[:b.sizes.followed()], people[b.sizes.followed():]
	step := (len(others) + len(followed) - 1) / len(followed) // nobody is left out
	for i, p := range followed {
		for k := range min(max(step, min(followedEach, b.sizes.said/2)), len(others)) {
			q := others[(i*step+k)%len(others)]
			p.first = append(p.first, schema.Record{
				Kind: schema.KindFollow, Weight: 100,
				Source: &schema.FollowSource{Log: q.log, URL: webAddress(q), Key: q.key.Fingerprint()},
			})
		}
	}
	sum := sha256.Sum256([]byte(popularContent))
	popular := schema.Record{
		Kind: schema.KindTrust, Project: "pkg:pypi/popular", Version: "1.0", Basis: schema.Reviewed,
		Subjects: []schema.Subject{{File: "popular-1.0.tar.gz", Size: int64(len(popularContent)), Digest: schema.Digest{SHA256: hex.EncodeToString(sum[:])}}},
		Reason:   "as everybody",
	}
	for i := range min(popularWith, len(people)) {
		p := people[i*len(people)/min(popularWith, len(people))]
		p.first = append(p.first, popular)
	}
	return people, nil
}

// population makes the repositories of everybody: a state to begin with, and one with the news of a
// day for those that have news.
func (b *bench) population() ([]*person, error) {
	people, err := b.everybody()
	if err != nil {
		return nil, err
	}
	_, err = b.kept(filepath.Join(repositories, "scale"), func(dir string) error {
		return inParallel(len(people), func(i int) error {
			counts := []int{b.sizes.said}
			if i%newsEvery == 0 {
				counts = append(counts, b.sizes.said+news)
			}
			return makeRepository(context.Background(), filepath.Join(dir, people[i].name+".git"), people[i], counts)
		})
	})
	return people, err
}

// haveNews puts the repositories of those that have news on a day before it or after it.
func (b *bench) haveNews(ctx context.Context, people []*person, yes bool) error {
	n := 0
	if yes {
		n = 1
	}
	return inParallel((len(people)+newsEvery-1)/newsEvery, func(i int) error {
		return atState(ctx, filepath.Join(b.dir, repositories, "scale", people[i*newsEvery].name+".git"), n)
	})
}

// newcomerTo makes a home with a key in which the user follows people, and nothing was fetched yet.
func (u user) newcomerTo(ctx context.Context, followed []*person, depth int) error {
	if err := os.MkdirAll(u.home, 0o700); err != nil {
		return err
	}
	me, err := newPerson("scale-user")
	if err != nil {
		return err
	}
	key := filepath.Join(u.home, "key")
	if err := me.keyFile(key); err != nil {
		return err
	}
	if _, err := u.does("init", "--key", key).output(ctx); err != nil {
		return err
	}
	if err := u.follows(followed, webAddress); err != nil {
		return err
	}
	dirs, err := u.dirs()
	if err != nil {
		return err
	}
	return config.EditSources(dirs, func(sources []config.Source) ([]config.Source, error) {
		for i := range sources {
			sources[i].Depth = depth
		}
		return sources, nil
	})
}

// citizen is the user of the simulation after the first sync, which is measured.
func (b *bench) citizen(ctx context.Context, measured func(sample)) (user, []*person, error) {
	people, err := b.population()
	if err != nil {
		return user{}, nil, err
	}
	dir, err := b.kept("citizen", func(dir string) error {
		if err := b.haveNews(ctx, people, false); err != nil {
			return err
		}
		u := b.user(dir)
		if err := u.newcomerTo(ctx, people[:b.sizes.followed()], 1); err != nil {
			return err
		}
		s, err := b.web.reaches(u.does("sync", "--quiet", "--accept-new")).run(ctx, false)
		measured(s)
		return err
	})
	return b.user(dir), people, err
}
