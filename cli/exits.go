package cli

import "github.com/distributed-trust/distrust/records/trust"

// Exit is an exit code of the program (C2). Only [Done] means go on.
type Exit int

// The exit codes (C2). Go exits with 2 when its runtime crashes and shells use 1 for anything,
// so no verdict has one of these.
const (
	Done          Exit = 0
	Failed        Exit = 1
	Usage         Exit = 2
	Unknown       Exit = 3
	Distrusted    Exit = 5
	Mismatch      Exit = 6
	Alarms        Exit = 7
	Refused       Exit = 10
	NotSetUp      Exit = 11
	Unreachable   Exit = 12
	NotRun        Exit = 125
	NotExecutable Exit = 126
	NotFound      Exit = 127
)

// exitRow is one line of the table of exit codes.
type exitRow struct {
	exit    Exit
	meaning string
}

// exitTable is the one table of C2, in its order. Help texts, `help exit-codes` and the tests
// read it.
var exitTable = []exitRow{
	{Done, "trusted, or done"},
	{Failed, "failed: input, output, internal"},
	{Usage, "usage: a wrong command, flag or operand"},
	{Unknown, "unknown: nobody you follow says enough"},
	{Distrusted, "distrusted: you or people you follow reported it"},
	{Mismatch, "mismatch: bad signature, changed signer, or other bytes than a list names"},
	{Alarms, "alarms: something accepted earlier is now reported"},
	{Refused, "refused: a fetched state that is not accepted, whatever the reason"},
	{NotSetUp, "not set up: no home, or no usable key"},
	{Unreachable, "nothing could be fetched from a source (the rest was done)"},
	{NotRun, "run, pipe: refused, the command was not started"},
	{NotExecutable, "run, pipe: the command cannot be executed"},
	{NotFound, "run, pipe: the command was not found"},
}

// String is what the code means, as the table says it.
func (e Exit) String() string {
	for _, row := range exitTable {
		if row.exit == e {
			return row.meaning
		}
	}
	return "the code of the command that was run"
}

// ExitOf is the code of a verdict.
func ExitOf(v trust.Verdict) Exit {
	switch v {
	case trust.Trusted:
		return Done
	case trust.Distrusted:
		return Distrusted
	case trust.Mismatch:
		return Mismatch
	case trust.Unknown:
		return Unknown
	}
	return Failed // no verdict at all must never read as go on
}

// WorstOfFiles is the code for several files: the first of 5, 6, 1, 3, 0 that one of them has
// (C2). No files at all is a failure.
func WorstOfFiles(exits ...Exit) Exit {
	return first([]Exit{Distrusted, Mismatch, Failed, Unknown, Done}, exits)
}

// WorstOfSync is the code for several sources: the first of 10, 7, 12, 1 that one of them has,
// else 0 (C2).
func WorstOfSync(exits ...Exit) Exit {
	return first([]Exit{Refused, Alarms, Unreachable, Failed, Done}, append(exits, Done))
}

// first returns the first of order that exits holds. A code that order does not know is never
// lost to a milder one: it counts as a failure.
func first(order, exits []Exit) Exit {
	rank := func(e Exit) int {
		failed := len(order)
		for i, o := range order {
			if o == e {
				return i
			}
			if o == Failed {
				failed = i
			}
		}
		return failed
	}
	worst := len(order)
	for _, e := range exits {
		worst = min(worst, rank(e))
	}
	if worst == len(order) {
		return Failed
	}
	return order[worst]
}
