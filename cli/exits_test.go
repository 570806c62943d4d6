package cli

import (
	"testing"

	"github.com/distributed-trust/distrust/records/trust"
)

// TestExitTable holds the codes of C2: they are for ever.
func TestExitTable(t *testing.T) {
	t.Parallel()
	want := []Exit{0, 1, 2, 3, 5, 6, 7, 10, 11, 12, 125, 126, 127}
	if len(exitTable) != len(want) {
		t.Fatalf("%d codes, want %d", len(exitTable), len(want))
	}
	for i, row := range exitTable {
		if row.exit != want[i] || row.meaning == "" || row.exit.String() != row.meaning {
			t.Errorf("row %d is %d %q, want %d", i, row.exit, row.meaning, want[i])
		}
	}
}

// TestOnlyTrustedGoesOn gives no other verdict, and no unknown one, the code 0.
func TestOnlyTrustedGoesOn(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[trust.Verdict]Exit{
		trust.Trusted: 0, trust.Unknown: 3, trust.Distrusted: 5, trust.Mismatch: 6, "": 1, "other": 1,
	} {
		if got := ExitOf(verdict); got != want {
			t.Errorf("%q: %d, want %d", verdict, got, want)
		}
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		exits []Exit
		want  Exit
	}{
		{nil, Failed},
		{[]Exit{0}, 0},
		{[]Exit{0, 3, 0}, 3},
		{[]Exit{3, 1, 0}, 1},
		{[]Exit{1, 6, 3}, 6},
		{[]Exit{6, 5, 1, 3, 0}, 5},
		{[]Exit{0, NotSetUp, 3}, Failed}, // a code without a place is never lost to a milder one
		{[]Exit{NotSetUp, 5}, 5},
	} {
		if got := WorstOfFiles(tt.exits...); got != tt.want {
			t.Errorf("files %v: %d, want %d", tt.exits, got, tt.want)
		}
	}
	for _, tt := range []struct {
		exits []Exit
		want  Exit
	}{
		{nil, 0},
		{[]Exit{0, 0}, 0},
		{[]Exit{1, 12}, 12},
		{[]Exit{12, 7, 1}, 7},
		{[]Exit{0, 7, 10, 12}, 10},
		{[]Exit{0, NotSetUp}, Failed},
	} {
		if got := WorstOfSync(tt.exits...); got != tt.want {
			t.Errorf("sync %v: %d, want %d", tt.exits, got, tt.want)
		}
	}
}
