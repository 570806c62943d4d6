package records

import (
	"fmt"
	"slices"
	"time"

	"github.com/distributed-trust/distrust/schema"
)

// MaxAhead is how far the clock of a publisher may be ahead of ours (F5.6).
const MaxAhead = time.Hour

// Pin is what a follower remembers of a log: the last accepted head, and the keys that raised
// epochs have left out since. It is all that [Advance] needs.
type Pin struct {
	Head    Head
	Dropped []string // "type base64" each, sorted: they count as compromised until a recovery key takes them back (F5.4)
}

// Log is the pinned log with its key states, the dropped keys among them as compromised, whatever
// the head says of them: so their records are void instead of unknown, and `keep` can stand by some.
func (p Pin) Log() Log {
	log := p.Head.Log()
	for _, key := range p.Dropped {
		i := slices.IndexFunc(log.Keys, func(k schema.Key) bool { return k.Key == key })
		if i < 0 {
			log.Keys = append(log.Keys, schema.Key{Key: key})
			i = len(log.Keys) - 1
		}
		log.Keys[i].State = schema.Compromised
	}
	return log
}

// Chain is what a fetch brought, besides the set itself.
type Chain struct {
	Published Head   // the head that is to be judged ([PublishedState])
	Kept      []Head // those of keys/ at the fetched tip, opened with [OpenKept], in any order
	Between   []Head // head.yml of any commits reachable from the tip, in any order, copies allowed
}

// Accepted is a head that may take the pin's place.
type Accepted struct {
	Pin       Pin    // what to remember from now on
	Unchanged bool   // it is the pinned head itself
	Raised    bool   // its epoch is above the pin's: a recovery key has spoken (F5.4)
	Chain     []Head // the heads that are new since the pin or the raised epoch, at a first contact those of keys/; oldest first, the last is Pin.Head
}

// FirstContact judges a log that nothing is known of (F5.1, F5.2, F5.4): the kept heads from seq 1
// to h form one chain of authority, the first gives the log its id, and when the user named a
// fingerprint ("SHA256:…", else ""), that key signed one of these heads and is active in h. That a
// key is listed proves nothing: anybody can list it. The error is a *[HeadError].
//
// The caller must not ask this for a log that it has a pin of, or that is the user's own: pins
// are never replaced.
func FirstContact(named string, kept []Head, h Head, now time.Time) (Accepted, error) {
	steps := stepsTo(kept, h)
	st, err := genesis(steps[0])
	if err != nil {
		return Accepted{}, err
	}
	for _, next := range steps[1:] {
		prev := st.head
		if st, err = st.judge(next); err != nil {
			return Accepted{}, err
		}
		if err := adjoins(prev, next.head); err != nil {
			return Accepted{}, err
		}
	}
	if err := checkNamed(named, steps, h); err != nil {
		return Accepted{}, err
	}
	if err := checkClock(Head{}, h, now); err != nil {
		return Accepted{}, err
	}
	accepted := Accepted{Pin: st.pin()}
	for _, s := range steps {
		accepted.Chain = append(accepted.Chain, s.head)
	}
	return accepted, nil
}

// Advance judges a fetched head over the pinned one (F5.1 to F5.6). The error is a *[HeadError],
// and then the pin stays as it is.
func Advance(pin Pin, chain Chain, now time.Time) (Accepted, error) {
	p, h := pin.Head, chain.Published
	if p.IsZero() || h.IsZero() {
		return Accepted{}, headError(WrongLog, p, h, "there is no head to hold it against")
	}
	if err := sameLog(p, h); err != nil {
		return Accepted{}, err
	}
	if h.id == p.id {
		return Accepted{Pin: pin, Unchanged: true}, nil
	}
	if h.Compare(p) <= 0 {
		return Accepted{}, olderHead(pin, h)
	}
	found := newLinks(chain)
	start := state{head: p, dropped: slices.Clone(pin.Dropped)}
	base, err := start.walk(stepsAbove(chain.Kept, p, h), found)
	if err != nil {
		return Accepted{}, found.orFork(base.head, h, err)
	}
	path, err := found.path(base.head, h)
	if err != nil {
		return Accepted{}, err
	}
	end, err := base.follow(path, found)
	if err != nil {
		return Accepted{}, err
	}
	if err := found.oneChain(base.head, path); err != nil {
		return Accepted{}, err
	}
	if err := checkClock(p, h, now); err != nil {
		return Accepted{}, err
	}
	if base.head.id != p.id { // the raised epoch's own head is new too
		path = append([]Head{base.head}, path...)
	}
	return Accepted{Pin: end.pin(), Raised: h.doc.Epoch > p.doc.Epoch, Chain: path}, nil
}

// Compare orders heads by epoch, then by seq (F5.3).
func (h Head) Compare(o Head) int {
	switch {
	case h.doc.Epoch != o.doc.Epoch:
		return sign64(h.doc.Epoch - o.doc.Epoch)
	default:
		return sign64(h.doc.Seq - o.doc.Seq)
	}
}

// sameLog holds every head to the log and the salt that the first one fixed (F5.1).
func sameLog(known, h Head) error {
	if h.doc.Log != known.doc.Log {
		return headError(WrongLog, known, h, "it belongs to log %s, not to %s", h.doc.Log, known.doc.Log)
	}
	if h.doc.Salt != known.doc.Salt {
		return headError(WrongLog, known, h, "it changes the salt of log %s", h.doc.Log)
	}
	return nil
}

// olderHead refuses a head that is not above the pin. Only a key that the log once had can make
// it evidence of a rollback or a fork: what a stranger signs says nothing against the owner.
func olderHead(pin Pin, h Head) error {
	signer := h.signer.String()
	_, listed := findKey(pin.Head.doc.Keys, signer)
	if !listed && !slices.Contains(pin.Dropped, signer) {
		return headError(NoAuthority, pin.Head, h, "signed by %s, which was never a key of the pinned log", h.signer.Fingerprint())
	}
	if h.Compare(pin.Head) == 0 {
		return headError(Fork, pin.Head, h, "two heads with seq %d: %s was accepted, this is %s", h.doc.Seq, shortID(pin.Head), shortID(h))
	}
	return headError(Rollback, pin.Head, h, "%s was accepted, this is %s", place(pin.Head), place(h))
}

// checkNamed holds a first contact to the key that the user named (F5.2, F6).
func checkNamed(named string, steps []step, h Head) error {
	if named == "" {
		return nil
	}
	for _, s := range steps {
		if s.head.signer.Fingerprint() != named {
			continue
		}
		k, _ := findKey(h.doc.Keys, s.head.signer.String())
		if k.State == schema.Active {
			return nil
		}
		return headError(WrongFingerprint, Head{}, h, "%s signed head %d, but it is no longer an active key", named, s.head.doc.Seq)
	}
	return headError(WrongFingerprint, Head{}, h, "%s signed none of its heads; the published one is signed by %s", named, h.signer.Fingerprint())
}

// checkClock refuses a head from the future (F5.6).
func checkClock(known, h Head, now time.Time) error {
	if ahead := h.doc.Issued.Sub(now); ahead > MaxAhead {
		return headError(Future, known, h, "issued %s from now: check the clock", ahead.Truncate(time.Second))
	}
	return nil
}

func place(h Head) string {
	if h.doc.Epoch == 0 {
		return fmt.Sprintf("seq %d", h.doc.Seq)
	}
	return fmt.Sprintf("seq %d of epoch %d", h.doc.Seq, h.doc.Epoch)
}

func shortID(h Head) string { return firstDigits(h.id, idDigits) }

func sign64(n int64) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
