package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/source"
	"github.com/distributed-trust/distrust/records/trust"
)

// world is what a decision is made in.
type world struct {
	generation *index.Generation // nil: nothing was ever written here
	network    *trust.Network
	compiled   index.Config
	now        time.Time
}

// MissingError says that the index has lost logs that were accepted here: without their reports
// an answer would be too kind.
type MissingError struct {
	Names []string // of sources, and "you"
}

// Error names whose records are missing.
func (e *MissingError) Error() string {
	return "records of " + strings.Join(e.Names, ", ") + " are missing on this machine"
}

// world opens the index for a decision. It refuses with a [MissingError] when the index does not
// hold everybody that it should.
func (in *Invocation) world(ctx context.Context) (*world, error) {
	var before *uint64
	for {
		w, err := in.worldAsIs(ctx)
		if err != nil {
			return nil, err
		}
		err = w.complete(in)
		if err == nil {
			return w, nil
		}
		number := w.number()
		w.close()
		// A sync puts the index in force, then its pins: who is missing in the one that was opened may
		// have come between the two looks.
		var missing *MissingError
		if !errors.As(err, &missing) || before != nil && *before == number {
			return nil, err
		}
		before = &number
	}
}

// complete holds the index to who is followed and was accepted: a source that was never fetched on
// this machine has no pin, and is not missed.
func (w *world) complete(in *Invocation) error {
	dirs, err := in.Env.Dirs()
	if err != nil {
		return err
	}
	var missing []string
	for _, f := range w.network.Unknown() {
		if _, err := os.Stat(filepath.Join(dirs.Pins(), f.Log+".json")); err == nil && !tombstone(dirs, f.Log) {
			missing = append(missing, f.Name)
		}
	}
	slices.Sort(missing)
	for _, log := range w.compiled.Own {
		if w.generation == nil {
			break
		}
		if _, ok, err := w.generation.Log(log); err != nil || !ok {
			missing = slices.Insert(missing, 0, "you")
			break
		}
	}
	if len(missing) > 0 {
		return &MissingError{Names: missing}
	}
	return nil
}

// tombstone says whether the pin of a log only remembers that it was unfollowed.
func tombstone(d config.Dirs, log string) bool {
	pin, err := source.ReadPin(source.Dirs{Data: d.Data, State: d.State, Cache: d.Cache}, log)
	return err == nil && pin.Tombstone()
}

// generation opens the index for reading; nil when nothing was ever written. A damaged generation is made
// again from the record stores, and one line says so.
func (in *Invocation) generation(ctx context.Context) (*index.Generation, error) {
	dirs, err := in.Env.Dirs()
	if err != nil {
		return nil, err
	}
	dir := index.Dir{Cache: dirs.Cache, Data: dirs.Data}
	g, err := index.Open(dir)
	var damage *index.DamageError
	if errors.As(err, &damage) && damage.Log == "" {
		g, err = in.mend(ctx, dir, damage)
	}
	if errors.Is(err, index.ErrNone) {
		return nil, nil
	}
	return g, err
}

// worldAsIs opens the index for a decision, whatever it holds.
func (in *Invocation) worldAsIs(ctx context.Context) (*world, error) {
	dirs, err := in.Env.Dirs()
	if err != nil {
		return nil, err
	}
	w := &world{now: in.Env.Now(), network: &trust.Network{}}
	if w.generation, err = in.generation(ctx); err != nil {
		return nil, err
	}
	if err := w.configure(ctx, in, dirs); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// configure takes the compiled configuration from the index while the user's files are those
// that it was made from, else compiles it again in memory.
func (w *world) configure(ctx context.Context, in *Invocation, dirs config.Dirs) error {
	stamp, err := config.Stamp(dirs)
	if err != nil {
		return err
	}
	if w.generation != nil {
		if w.compiled, err = w.generation.Config(); err != nil {
			return err
		}
		network, err := w.generation.Network()
		if err != nil {
			return err
		}
		w.network = &network
	}
	if w.compiled.Stamp != stamp {
		m, err := in.machine()
		if err != nil {
			return err
		}
		own := w.compiled.Own
		if w.generation != nil && w.compiled.IsZero() {
			// A rebuild that was cut short left no settings, or another version of the program left them in a
			// form of its own. That is nobody's word as the user's: their reports would count for nothing.
			if own, err = m.ownLogs(ctx); err != nil {
				return err
			}
		}
		w.compiled = m.compile(own, w.projects)
	}
	return w.settle()
}

// settle gives the network what of the settings bears on decisions.
func (w *world) settle() error {
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
