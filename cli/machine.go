package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/source"
	"github.com/distributed-trust/distrust/records/trust"
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

// compiled is the user's configuration in the form in which the index keeps it, so that a check
// reads no YAML of the user's (docs/architecture.md, "check").
type compiled struct {
	Policy  trust.Policy   `json:"policy"`
	Journal bool           `json:"journal"`
	Follows []trust.Follow `json:"follows"`
	Own     []string       `json:"own"`
}

// compile puts the configuration together for an index that knows these logs.
func (m *machine) compile(own []string, projects func(log string) []string) compiled {
	return compiled{
		Policy: m.config.Policy, Journal: m.config.Journal, Own: own,
		Follows: config.Follows(config.WithDefaultScopes(m.sources, projects)),
	}
}

// apply brings updates into the index, with the configuration as it is now. A damaged index is
// made again first. The caller holds the lock.
func (m *machine) apply(ctx context.Context, updates ...index.Update) error {
	if err := m.keepKey(); err != nil {
		return err
	}
	err := m.applyOnce(ctx, updates...)
	var damage *index.DamageError
	if !errors.As(err, &damage) || damage.Log != "" {
		return err
	}
	if err := m.rebuild(ctx); err != nil {
		return err
	}
	return m.applyOnce(ctx, updates...)
}

func (m *machine) applyOnce(ctx context.Context, updates ...index.Update) error {
	stamp, err := config.Stamp(m.dirs)
	if err != nil {
		return err
	}
	own, err := m.ownLogs(ctx)
	if err != nil {
		return err
	}
	projects := m.projectsOf(updates)
	blob, err := json.Marshal(m.compile(own, projects))
	if err != nil {
		return fmt.Errorf("compiling settings: %w", err)
	}
	return index.Apply(ctx, m.indexDir(), updates, index.Config{Stamp: stamp, Blob: blob})
}

// projectsOf finds what a log says it speaks about: in the updates, else in the index.
func (m *machine) projectsOf(updates []index.Update) func(log string) []string {
	return func(log string) []string {
		for _, u := range updates {
			if u.Log == log && !u.Head.IsZero() {
				return u.Head.Doc().Projects
			}
		}
		g, err := index.Open(m.indexDir())
		if err != nil {
			return nil
		}
		defer g.Close()
		info, _, err := g.Log(log)
		if err != nil {
			return nil
		}
		return info.Projects
	}
}

// ownLogs are the logs whose records are the user's own word (D1).
func (m *machine) ownLogs(ctx context.Context) ([]string, error) {
	var own []string
	h, err := home.Open(ctx, m.defaultHome())
	if err == nil {
		defer h.Close()
		own = append(own, h.LogID())
	} else if !errors.Is(err, home.ErrNoHome) {
		return nil, err
	}
	p, err := m.private(h)
	if err == nil {
		own = append(own, p.Log().ID)
	} else if !errors.Is(err, home.ErrNoHome) {
		return nil, err
	}
	return own, nil
}

// defaultHome is the home of this user, whatever --home names.
func (m *machine) defaultHome() string {
	if m.chosen.Home != "" {
		return m.chosen.Home
	}
	return m.dirs.Home()
}

// world is what a decision is made in.
type world struct {
	generation *index.Generation // nil: nothing was ever written here
	network    *trust.Network
	compiled   compiled
	now        time.Time
}

// world opens the index for reading. A damaged generation is made again from the record stores,
// and one line says so.
func (in *Invocation) world(ctx context.Context) (*world, error) {
	dirs, err := in.Env.Dirs()
	if err != nil {
		return nil, err
	}
	w := &world{now: in.Env.Now(), network: &trust.Network{}}
	dir := index.Dir{Cache: dirs.Cache, Data: dirs.Data}
	w.generation, err = index.Open(dir)
	var damage *index.DamageError
	if errors.As(err, &damage) && damage.Log == "" {
		w.generation, err = in.mend(ctx, dir, damage)
	}
	if errors.Is(err, index.ErrNone) {
		w.generation, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := w.configure(ctx, in, dirs); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// mend makes a damaged index again and opens it.
func (in *Invocation) mend(ctx context.Context, dir index.Dir, damage *index.DamageError) (*index.Generation, error) {
	m, err := in.machine()
	if err != nil {
		return nil, err
	}
	if !in.locked {
		unlock, err := m.lock(ctx)
		if err != nil {
			return nil, errors.Join(damage, err)
		}
		defer unlock()
	}
	// Somebody else may have mended it while we waited.
	if g, err := index.Open(dir); err == nil {
		return g, nil
	}
	if err := m.rebuild(ctx); err != nil {
		return nil, err
	}
	return index.Open(dir)
}

// rebuild makes the index again from the record stores: it is a cache. The caller holds the lock.
func (m *machine) rebuild(ctx context.Context) error {
	rebuilt, err := index.Rebuild(ctx, m.indexDir(), index.Config{})
	if err != nil {
		return err
	}
	if err := m.applyOnce(ctx); err != nil {
		return err
	}
	m.env.warn("the index was damaged and has been rebuilt: %s of %s", count(rebuilt.Records, "record"), count(rebuilt.Logs, "log"))
	return nil
}

// configure takes the compiled configuration from the index while the user's files are those
// that it was made from, else compiles it again in memory.
func (w *world) configure(ctx context.Context, in *Invocation, dirs config.Dirs) error {
	stamp, err := config.Stamp(dirs)
	if err != nil {
		return err
	}
	var stored index.Config
	if w.generation != nil {
		if stored, err = w.generation.Config(); err != nil {
			return err
		}
		if err := json.Unmarshal(orEmpty(stored.Blob), &w.compiled); err != nil {
			return fmt.Errorf("reading compiled settings: %w", err)
		}
		network, err := w.generation.Network()
		if err != nil {
			return err
		}
		w.network = &network
	}
	if stored.Stamp != stamp {
		m, err := in.machine()
		if err != nil {
			return err
		}
		own := w.compiled.Own
		if w.generation != nil && stored.IsZero() {
			// A rebuild that was cut short left no settings, and so nobody's word as the user's: their
			// reports would count for nothing.
			if own, err = m.ownLogs(ctx); err != nil {
				return err
			}
		}
		w.compiled = m.compile(own, w.projects)
	}
	w.network.Own = w.compiled.Own
	w.network.Follows = w.compiled.Follows
	for _, log := range w.compiled.Own {
		if w.generation == nil {
			break
		}
		late, err := w.generation.Late(log)
		if err != nil {
			return err
		}
		w.network.OwnIssued = append(w.network.OwnIssued, late...)
	}
	w.network.Compile() // many things may be decided in one world
	return nil
}

func orEmpty(blob []byte) []byte {
	if len(blob) == 0 {
		return []byte("{}")
	}
	return blob
}

// projects is what a log's accepted head says that it speaks about.
func (w *world) projects(log string) []string {
	if w.generation == nil {
		return nil
	}
	info, _, err := w.generation.Log(log)
	if err != nil {
		return nil
	}
	return info.Projects
}

func (w *world) close() {
	if w.generation != nil {
		w.generation.Close()
	}
}

// decide looks a query up and decides it.
func (w *world) decide(q trust.Query) (trust.Decision, []trust.Statement, index.Lookup, error) {
	var statements []trust.Statement
	var lookup index.Lookup
	if w.generation != nil {
		var err error
		if statements, lookup, err = w.generation.Candidates(q, w.compiled.Policy); err != nil {
			return trust.Decision{}, nil, lookup, err
		}
	}
	return trust.Decide(q, statements, w.network, w.compiled.Policy, w.now), statements, lookup, nil
}

// updates of the user's own logs, after one of them was written.
func (m *machine) ownUpdates(ctx context.Context, h *home.Home) ([]index.Update, error) {
	own, err := h.Update(ctx, m.indexed(h.LogID()).HeadID)
	if err != nil {
		return nil, err
	}
	p, err := m.private(h)
	if errors.Is(err, home.ErrNoHome) {
		return []index.Update{own}, nil
	}
	if err != nil {
		return nil, err
	}
	private, err := p.Update(ctx)
	return []index.Update{own, private}, err
}

// indexed is what the index holds of a log; nothing when it cannot be read, so that it is given
// the whole set.
func (m *machine) indexed(log string) index.LogInfo {
	g, err := index.Open(m.indexDir())
	if err != nil {
		return index.LogInfo{}
	}
	defer g.Close()
	info, _, err := g.Log(log)
	if err != nil {
		return index.LogInfo{}
	}
	return info
}

// sayRefused shows records of the user's own that are not read, and why.
func (m *machine) sayRefused(refused []*records.Refusal) {
	for _, r := range refused {
		m.env.warn("not read: %v", r)
	}
}
