package cli

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
)

// advice is what the user can do about an error, and the exit code it ends with.
type advice struct {
	exit Exit
	hint render.Hint
}

// hintRow is one line of the table: advice gives false when the error is not of its kind.
type hintRow struct {
	advice func(err error) (advice, bool)
}

// is is the row of a sentinel.
func is(target error, exit Exit, text string, command ...string) hintRow {
	return hintRow{func(err error) (advice, bool) {
		hint := render.Hint{Text: text, Command: render.Words(command...)}
		return advice{exit, hint}, errors.Is(err, target)
	}}
}

// as is the row of a type of errors.
func as[T error](exit Exit, hint func(T) render.Hint) hintRow {
	return hintRow{func(err error) (advice, bool) {
		var target T
		if !errors.As(err, &target) {
			return advice{}, false
		}
		return advice{exit, hint(target)}, true
	}}
}

// advise finds the exit code and the next step for an error: what the error itself knows, else
// the first row of the table that fits.
func advise(err error) (Exit, render.Hint) {
	var problem *Problem
	own := errors.As(err, &problem)
	if own && (problem.Exit == Usage || !problem.Hint.IsZero()) {
		return problem.Exit, problem.Hint
	}
	for _, row := range hintTable() {
		if found, ok := row.advice(err); ok {
			if own {
				found.exit = problem.Exit
			}
			return found.exit, found.hint
		}
	}
	if own {
		return problem.Exit, problem.Hint
	}
	return Failed, render.Hint{}
}

// hintTable maps the errors of our packages to the next step; the first row that fits counts.
// A test demands a row for every exported one.
func hintTable() []hintRow {
	return slices.Concat(machineHints(), homeHints(), sourceHints(), keyHints(), documentHints(), signatureHints(), systemHints())
}

// machineHints are the rows of what lies on this machine.
func machineHints() []hintRow {
	return []hintRow{
		is(config.ErrNoUserHome, NotSetUp, "set HOME, or DISTRUST_CONFIG_DIR, _DATA_DIR, _STATE_DIR and _CACHE_DIR"),
		as(NotSetUp, func(*config.FolderError) render.Hint {
			return hintf("set HOME to a folder that you may write, or DISTRUST_CONFIG_DIR, _DATA_DIR, _STATE_DIR and _CACHE_DIR")
		}),
		as(Usage, func(e *config.DirError) render.Hint {
			return render.Hint{Text: "unset it, or give the whole path", Command: render.Words("unset", e.Variable)}
		}),
		as(Failed, func(*config.FileError) render.Hint {
			return render.Hint{Text: "mend that line; what may stand there", Command: render.Words("distrust", "help", "settings")}
		}),
		as(Failed, func(e *config.PermissionError) render.Hint {
			if e.Foreign {
				return render.Hint{Text: "see whose it is", Command: append(render.Words("ls", "-ld"), render.File(e.Path, ""))}
			}
			return render.Hint{Text: "look at it, then keep it to yourself", Command: append(render.Words("chmod", "go-w"), render.File(e.Path, ""))}
		}),
		as(Failed, func(*config.LockedError) render.Hint {
			return render.Hint{Text: "run it again when the other one has ended"}
		}),
	}
}

// systemHints are the rows of what the operating system says; they come last, as they are the
// causes of others.
func systemHints() []hintRow {
	return []hintRow{
		is(terminal.ErrCannotAsk, Failed, "run it in the foreground of a terminal, without --no-input and CI"),
		is(context.Canceled, Failed, "it was interrupted: run it again, nothing is half done"),
		is(context.DeadlineExceeded, Failed, "it took too long: run it again"),
		is(fs.ErrNotExist, Failed, "check the path: it is read from the current folder"),
		is(fs.ErrPermission, Failed, "check who may read and write it, and the folders above"),
	}
}
