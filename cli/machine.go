package cli

import (
	"context"
	"errors"
	"time"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/source"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

// machine is what lies on this machine, opened as far as a command needs it.
type machine struct {
	env     *Env
	in      *Invocation
	dirs    config.Dirs
	config  config.Config
	sources []config.Source
	stamp   string // of the files that config and sources were read from
	chosen  config.Machine
	picked  string // the key that this run signs with, until it is among what was chosen
	ownLog  string // the log of the user's own home, once it was opened
	watch   *watch // of a command that raises alarms: what it changes
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
	if err := m.load(); err != nil {
		return nil, err
	}
	return m, nil
}

// load reads what the user and earlier commands wrote down.
func (m *machine) load() error {
	stamp, err := config.Stamp(m.dirs)
	if err != nil {
		return err
	}
	if stamp != m.stamp { // many sources take long to read
		if m.config, m.sources, err = config.Load(m.dirs); err != nil {
			return err
		}
		m.stamp = stamp
	}
	m.chosen, err = config.LoadMachine(m.dirs)
	return err
}

// editSources changes sources.yml, and goes on with what it says then.
func (m *machine) editSources(edit func([]config.Source) ([]config.Source, error)) error {
	if err := config.EditSources(m.dirs, edit); err != nil {
		return err
	}
	return m.load()
}

// lockedMachine is machine for a command that writes from its first step on: other writers are kept
// away until the returned function is called.
func (in *Invocation) lockedMachine(ctx context.Context) (*machine, func(), error) {
	m, err := in.machine()
	if err != nil {
		return nil, nil, err
	}
	unlock, err := m.lock(ctx)
	return m, unlock, err
}

// lock keeps other writers away until the returned function is called.
func (m *machine) lock(ctx context.Context) (func(), error) {
	lock, err := config.LockWriters(ctx, m.dirs, lockWait)
	if err != nil {
		return nil, err
	}
	// What was read before the lock may have been changed by the one who held it.
	if err := m.load(); err != nil {
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

// homeDir is where the home lies that this command is about: --home, or the user's own.
func (m *machine) homeDir() string { return nameOr(m.in.String(homeFlagName), m.defaultHome()) }

// home opens the home.
func (m *machine) home(ctx context.Context) (*home.Home, error) {
	return m.openHome(ctx, m.homeDir())
}

// openHome opens a home, and notes whose log the user's own one is.
func (m *machine) openHome(ctx context.Context, dir string) (*home.Home, error) {
	h, err := home.Open(ctx, dir)
	if err == nil && dir == m.defaultHome() {
		m.ownLog = h.LogID()
	}
	return h, err
}

// homeToSign opens the home with the key that signs in it. The home comes first: no key is asked for,
// or made, for one that cannot be opened.
func (m *machine) homeToSign(ctx context.Context) (*home.Home, signer.Signer, error) {
	h, err := m.home(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, err := m.signer(ctx, h)
	if err != nil {
		return nil, nil, errors.Join(err, h.Close())
	}
	return h, s, nil
}

// signInHome has a command change the home, with the key that signs in it, while other writers are
// kept away.
func (in *Invocation) signInHome(ctx context.Context, change func(*machine, *home.Home, signer.Signer) (Exit, error)) (Exit, error) {
	m, unlock, err := in.lockedMachine(ctx)
	if err != nil {
		return Failed, err
	}
	defer unlock()
	h, s, err := m.homeToSign(ctx)
	if err != nil {
		return Failed, err
	}
	defer h.Close()
	return change(m, h, s)
}

// ownHome opens the user's own home, whatever --home names; nil when there is none.
func (m *machine) ownHome(ctx context.Context) (*home.Home, error) {
	h, err := m.openHome(ctx, m.defaultHome())
	if errors.Is(err, home.ErrNoHome) {
		return nil, nil
	}
	return h, err
}

// private opens the private records with the keys of the home, which may be nil.
func (m *machine) private(h *home.Home) (*home.Private, error) {
	return home.OpenPrivate(m.dirs.Private(), keysOf(h))
}

// keysOf are the keys that a home's head lists; none without a home.
func keysOf(h *home.Home) []schema.Key {
	if h == nil {
		return nil
	}
	return h.Keys()
}

// defaultHome is the home of this user, whatever --home names.
func (m *machine) defaultHome() string { return nameOr(m.chosen.Home, m.dirs.Home()) }

// sayRefused shows records of the user's own that are not read, and why.
func (m *machine) sayRefused(refused []*records.Refusal) {
	for _, r := range refused {
		m.env.warn("not read: %v", r)
	}
}
