package records

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// author writes random chains that honest owners could have written. It keeps to F5.4 by choosing
// only what is allowed, not by asking the code under test.
type author struct {
	t     testing.TB
	rand  *rand.Rand
	chain []Head
	fresh int // how many keys were made so far
	keys  map[string]testkit.Key
}

func newAuthor(t testing.TB, seed uint64) *author {
	a := &author{t: t, rand: rand.New(rand.NewPCG(seed, 7)), keys: map[string]testkit.Key{}}
	first := a.newKey()
	var more []schema.Key
	for range a.rand.IntN(3) {
		more = append(more, a.newKey().Listed(schema.Active, a.rand.IntN(2) == 0))
	}
	a.chain = []Head{firstHead(t, first, more...)}
	return a
}

func (a *author) newKey() testkit.Key {
	a.fresh++
	k := testkit.NewKey(fmt.Sprint("author ", a.fresh))
	a.keys[k.Text()] = k
	return k
}

// pick draws one of the listed keys that are as wanted.
func (a *author) pick(want func(schema.Key) bool) (testkit.Key, bool) {
	var found []testkit.Key
	for _, k := range last(a.chain).doc.Keys {
		if want(k) {
			found = append(found, a.keys[k.Key])
		}
	}
	if len(found) == 0 {
		return testkit.Key{}, false
	}
	return found[a.rand.IntN(len(found))], true
}

func active(k schema.Key) bool   { return k.State == schema.Active }
func recovery(k schema.Key) bool { return active(k) && k.Recovery }

// write adds one head to the chain; false when no active key is left.
func (a *author) write() bool {
	signer, ok := a.pick(active)
	if !ok {
		return false
	}
	var edits []edit
	prev := last(a.chain)
	switch a.rand.IntN(8) {
	case 0: // an ordinary key
		edits = append(edits, addKey(a.newKey(), schema.Active, false))
	case 1: // an ordinary key goes forward, the last active one stays
		k, found := a.pick(func(k schema.Key) bool { return active(k) && !k.Recovery && k.Key != signer.Text() })
		if found {
			edits = append(edits, setState(k, []schema.KeyState{schema.Retired, schema.Compromised}[a.rand.IntN(2)]))
		}
	case 2: // the first recovery key
		if !slices.ContainsFunc(prev.doc.Keys, func(k schema.Key) bool { return k.Recovery }) {
			edits = append(edits, addKey(a.newKey(), schema.Active, true))
		}
	case 3: // recovery keys change
		if r, found := a.pick(recovery); found {
			signer = r
			edits = append(edits, addKey(a.newKey(), schema.Active, true))
			if a.rand.IntN(2) == 0 {
				edits = append(edits, setState(r, schema.Retired))
			}
		}
	case 4: // a state back
		k, found := a.pick(func(k schema.Key) bool { return !active(k) })
		if r, has := a.pick(recovery); has && found {
			signer = r
			edits = append(edits, setState(k, schema.Active))
		}
	case 5: // a new epoch, with or without a key less
		if r, found := a.pick(recovery); found {
			signer = r
			edits = append(edits, raise(1))
			if k, found := a.pick(func(k schema.Key) bool { return k.Key != r.Text() }); found {
				edits = append(edits, dropKey(k))
			}
		}
	}
	a.chain = append(a.chain, nextHead(a.t, prev, signer, edits...))
	return true
}

// honest is a chain of up to n heads.
func honest(t testing.TB, seed uint64, n int) []Head {
	a := newAuthor(t, seed)
	for len(a.chain) < n && a.write() {
	}
	return a.chain
}

// checkHonest: whoever pinned any head of an honest chain, by whichever way, accepts every later one
// and knows the same of its keys.
func checkHonest(t testing.TB, chain []Head) {
	t.Helper()
	want, err := FirstContact("", keptOf(chain), last(chain), testNow)
	if err != nil {
		t.Fatalf("first contact: %v", err)
	}
	step := Pin{}
	for i, h := range chain {
		var a Accepted
		if i == 0 {
			a, err = FirstContact(h.SignedBy().Fingerprint(), chain[:1], h, testNow)
		} else {
			a, err = Advance(step, fetched(chain[:i+1]), testNow)
		}
		if err != nil {
			t.Fatalf("head %d after head %d: %v", i+1, i, err)
		}
		step = a.Pin
		end, err := Advance(step, fetched(chain), testNow)
		if err != nil {
			t.Fatalf("from head %d to the end: %v", i+1, err)
		}
		if !slices.Equal(end.Pin.Dropped, want.Pin.Dropped) || end.Pin.Head.ID() != want.Pin.Head.ID() {
			t.Fatalf("from head %d: dropped %v, at first contact %v", i+1, end.Pin.Dropped, want.Pin.Dropped)
		}
		if i > 0 {
			back, err := Advance(end.Pin, fetched(chain[:i]), testNow)
			if err == nil {
				t.Fatalf("a rollback from the end to head %d: %+v", i, back)
			}
		}
	}
}

// mutate takes something away from what an honest publisher shows, or changes it. pin is the index
// of the pinned head, before the end. The result must be refused.
func mutate(t testing.TB, chain []Head, pin int, r *rand.Rand) (what string, got Chain) {
	t.Helper()
	end := last(chain)
	got = fetched(chain)
	raised := pin // the last head of a higher epoch, from which alone the chain has to be whole
	for i := pin + 1; i < len(chain); i++ {
		if chain[i].doc.Epoch > chain[i-1].doc.Epoch {
			raised = i
		}
	}
	between := pin + 1 + r.IntN(len(chain)-1-pin)
	mallory := testkit.NewKey(fmt.Sprint("mallory", r.IntN(3)))
	resign := func(change func(*schema.Head)) Head {
		doc := end.Doc()
		change(&doc)
		return seal(t, mallory, doc)
	}
	switch r.IntN(8) {
	case 0:
		i := raised + 1
		if i < len(chain)-1 {
			i += r.IntN(len(chain) - 1 - i)
			got.Between, got.Kept = without(got.Between, chain[i]), without(got.Kept, chain[i])
			return fmt.Sprintf("head %d is gone", i+1), got
		}
	case 1:
		if between > raised && changesKeys(chain[between-1], chain[between]) {
			got.Kept = without(got.Kept, chain[between])
			return fmt.Sprintf("the kept copy of head %d is gone", between+1), got
		}
	case 2:
		got.Published = resign(func(d *schema.Head) { d.Keys = append(d.Keys, mallory.Listed(schema.Active, false)) })
		return "signed by a stranger who lists himself", got
	case 3:
		got.Published = resign(func(d *schema.Head) {
			d.Keys = append(d.Keys, mallory.Listed(schema.Active, true))
			d.Epoch++
		})
		got.Kept = append(got.Kept, got.Published)
		return "a stranger raises the epoch", got
	case 4:
		got.Published = resign(func(d *schema.Head) {
			d.Keys = append(d.Keys, mallory.Listed(schema.Active, false))
			d.Seq, d.Prev = d.Seq+1, end.ID()
		})
		got.Kept = append(got.Kept, got.Published)
		return "a stranger goes on", got
	case 5:
		if pin > 0 {
			got.Published = chain[r.IntN(pin)]
			return "an older head", got
		}
	case 6:
		doc := end.Doc()
		doc.Log = "00" + doc.Log[2:]
		key := authorKey(t, end)
		got.Published = seal(t, key, doc)
		return "another log", got
	}
	// The owner's own key says two things about one place.
	doc := chain[pin].Doc()
	doc.Name = "another"
	got.Published = seal(t, authorKey(t, chain[pin]), doc)
	return "another head at the pin's place", got
}

// authorKey finds the key that signed a head of an author.
func authorKey(t testing.TB, h Head) testkit.Key {
	t.Helper()
	for i := range 1000 {
		if k := testkit.NewKey(fmt.Sprint("author ", i)); k.Key() == h.SignedBy() {
			return k
		}
	}
	t.Fatal("no such author")
	return testkit.Key{}
}

func checkMutation(t testing.TB, chain []Head, r *rand.Rand) {
	t.Helper()
	if len(chain) < 2 {
		return
	}
	pin := r.IntN(len(chain) - 1)
	a, err := FirstContact("", keptOf(chain[:pin+1]), chain[pin], testNow)
	if err != nil {
		t.Fatal(err)
	}
	what, got := mutate(t, chain, pin, r)
	if accepted, err := Advance(a.Pin, got, testNow); err == nil && !accepted.Unchanged {
		t.Fatalf("pinned %d of %d, %s: accepted", pin+1, len(chain), what)
	} else if err != nil && accepted.Pin.Head.ID() != "" {
		t.Fatalf("%s: refused with a pin", what)
	}
}

func TestRandomChains(t *testing.T) {
	t.Parallel()
	raised, dropped := 0, 0
	for seed := range uint64(40) {
		chain := honest(t, seed, 4+int(seed%16))
		checkHonest(t, chain)
		r := rand.New(rand.NewPCG(seed, 11))
		for range 20 {
			checkMutation(t, chain, r)
		}
		raised += int(last(chain).doc.Epoch)
		dropped += len(pinned(t, chain).Dropped)
	}
	if raised == 0 || dropped == 0 {
		t.Errorf("%d epochs raised, %d keys dropped: the chains are too plain to prove anything", raised, dropped)
	}
}

// TestLongChain runs the rules over thousands of kept heads, as a stranger may write them: what they
// cost may not grow with the square of that.
func TestLongChain(t *testing.T) {
	t.Parallel()
	const n = 20_000
	first := firstHead(t, laptop)
	chain := make([]Head, 0, n) // made without signing, which is not what is measured
	chain = append(chain, first)
	for i := range n - 1 {
		h := first
		h.doc.Seq, h.doc.Prev = int64(i+2), last(chain).id
		h.id = fmt.Sprintf("%064x", i)
		if i%2 == 0 {
			h.doc.Keys = []schema.Key{{Key: first.doc.Keys[0].Key, Name: fmt.Sprint(i), State: schema.Active}}
		}
		chain = append(chain, h)
	}
	got := Chain{Published: last(chain), Kept: chain, Between: chain}
	if _, err := Advance(Pin{Head: first}, got, testNow); err != nil {
		t.Fatal(err)
	}
	if _, err := FirstContact("", chain, last(chain), testNow); err != nil {
		t.Fatal(err)
	}
}

// FuzzChain draws a chain and a mutation from the input.
func FuzzChain(f *testing.F) {
	for seed := range uint64(12) {
		f.Add(binary.LittleEndian.AppendUint64(nil, seed*seed*977))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var seed [16]byte
		copy(seed[:], data)
		first, second := binary.LittleEndian.Uint64(seed[:8]), binary.LittleEndian.Uint64(seed[8:])
		chain := honest(t, first, 2+int(second%12))
		checkHonest(t, chain)
		r := rand.New(rand.NewPCG(first, second))
		for range 4 {
			checkMutation(t, chain, r)
		}
	})
}

// FuzzHeads feeds the rules any heads at all, in any role: whatever they accept must be above the
// pin, be signed by a key that the log knew, and be of the pinned log.
func FuzzHeads(f *testing.F) {
	var pool []Head
	for seed := range uint64(4) {
		pool = append(pool, honest(f, seed, 8)...)
		end := last(pool)
		pool = append(pool, nextHead(f, end, authorKey(f, end), addKey(thief, schema.Active, seed%2 == 0)))
	}
	f.Add([]byte{1, 5, 1, 2, 3, 4, 5})
	f.Add([]byte{9, 16, 9, 10, 11, 12, 13, 14, 15, 16})
	f.Add([]byte{0, 0})
	f.Add(bytes.Repeat([]byte{8}, 9))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 || len(data) > 64 {
			return
		}
		at := func(b byte) Head { return pool[int(b)%len(pool)] }
		pin, got := Pin{Head: at(data[0])}, Chain{Published: at(data[1])}
		for i, b := range data[2:] {
			if i%3 == 0 {
				got.Kept = append(got.Kept, at(b))
			}
			got.Between = append(got.Between, at(b))
		}
		a, err := Advance(pin, got, testNow)
		if err == nil {
			h := a.Pin.Head
			if h.ID() != got.Published.ID() || h.doc.Log != pin.Head.doc.Log || (h.Compare(pin.Head) <= 0) != a.Unchanged {
				t.Fatalf("from %s accepted %s", place(pin.Head), place(h))
			}
			for i, c := range a.Chain[min(1, len(a.Chain)):] {
				if c.doc.Prev != a.Chain[i].ID() {
					t.Fatal("the accepted chain is not one")
				}
			}
		}
		if a, err := FirstContact("", got.Kept, got.Published, testNow); err == nil && a.Pin.Head.ID() != got.Published.ID() {
			t.Fatal("first contact accepted another head")
		}
	})
}
