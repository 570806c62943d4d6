package cli

import (
	"context"
	"time"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/source"
	"github.com/distributed-trust/distrust/schema"
)

// machine is what lies on this machine, opened as far as a command needs it.
type machine struct {
	env     *Env
	in      *Invocation
	dirs    config.Dirs
	config  config.Config
	sources []config.Source
	chosen  config.Machine
	picked  string // the key that this run signs with, until it is among what was chosen
}

// lockWait is how long a command waits for another one that writes.
const lockWait = 10 * time.Second

// machine reads the configuration of this machine.
func (in *Invocation) machine() (*machine, error) {
	dirs, err := in.Env.Dirs()
	if err != nil {
		return nil, err
	}
	m := &machine{env: in.Env, in: in, dirs: dirs}
	if m.config, m.sources, err = config.Load(dirs); err != nil {
		return nil, err
	}
	if m.chosen, err = config.LoadMachine(dirs); err != nil {
		return nil, err
	}
	return m, nil
}

// lock keeps other writers away until the returned function is called.
func (m *machine) lock(ctx context.Context) (func(), error) {
	lock, err := config.LockWriters(ctx, m.dirs, lockWait)
	if err != nil {
		return nil, err
	}
	// What was read before the lock may have been changed by the one who held it.
	if m.config, m.sources, err = config.Load(m.dirs); err != nil {
		lock.Unlock()
		return nil, err
	}
	if m.chosen, err = config.LoadMachine(m.dirs); err != nil {
		lock.Unlock()
		return nil, err
	}
	m.in.locked = true
	return func() {
		m.in.locked = false
		lock.Unlock()
	}, nil
}

func (m *machine) indexDir() index.Dir {
	return index.Dir{Cache: m.dirs.Cache, Data: m.dirs.Data}
}

func (m *machine) sourceDirs() source.Dirs {
	return source.Dirs{Data: m.dirs.Data, State: m.dirs.State, Cache: m.dirs.Cache}
}

// homeDir is where the home lies: --home, what was chosen, or the default.
func (m *machine) homeDir() string {
	if dir := m.in.String(homeFlagName); dir != "" {
		return dir
	}
	if m.chosen.Home != "" {
		return m.chosen.Home
	}
	return m.dirs.Home()
}

// home opens the home.
func (m *machine) home(ctx context.Context) (*home.Home, error) {
	return home.Open(ctx, m.homeDir())
}

// private opens the private records with the keys of the home, which may be nil.
func (m *machine) private(h *home.Home) (*home.Private, error) {
	var keys []schema.Key
	if h != nil {
		keys = h.Head().Doc().Keys
	}
	return home.OpenPrivate(m.dirs.Private(), keys)
}

// defaultHome is the home of this user, whatever --home names.
func (m *machine) defaultHome() string {
	if m.chosen.Home != "" {
		return m.chosen.Home
	}
	return m.dirs.Home()
}

// sayRefused shows records of the user's own that are not read, and why.
func (m *machine) sayRefused(refused []*records.Refusal) {
	for _, r := range refused {
		m.env.warn("not read: %v", r)
	}
}
