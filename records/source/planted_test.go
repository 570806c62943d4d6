package source

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// TestPinRemembersJudgedHeads fills keys/, which no root covers, with files that no rule looks at (F5.5):
// the pin neither grows with them nor takes a head among them for one that was seen.
func TestPinRemembersJudgedHeads(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	m := newMachine(t)
	spec := m.follow(alice)
	alice.seal(func(h *schema.Head) {
		h.Keys = append(h.Keys, testkit.NewKey("desktop").Listed(schema.Active, false))
	})
	doc := alice.head.Doc()
	doc.Seq = 9
	planted, err := records.SealHead(context.Background(), doc, alice.key)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		alice.files[records.HeadPath(int64(i+10))] = fmt.Appendf(nil, "%d", i)
	}
	path := records.HeadPath(9)
	alice.files[path], alice.files[records.SignaturePath(path)] = planted.Bytes()
	alice.commit("keys, keys, keys")
	var want []string
	for _, h := range alice.kept {
		want = append(want, h.ID())
	}
	for _, state := range []State{StateNews, StateUnchanged} {
		if r := m.sync(spec)[0]; r.State != state {
			t.Fatalf("%s: %v", r.State, r.Err)
		}
		if got := m.pin(spec.Log).KeptHeads; !slices.Equal(got, want) {
			t.Errorf("%d heads are known: %.3q, not %q", len(got), got, want)
		}
		alice.files["note"] = nil
		alice.commit("something beside")
	}
	other := newMachine(t)
	if got := other.pin(other.follow(alice).Log).KeptHeads; !slices.Equal(got, want) {
		t.Errorf("at a first contact %d heads are known, not %q", len(got), want)
	}
}
