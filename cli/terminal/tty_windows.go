package terminal

import (
	"os"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/term"
)

// output is where the question goes: a console has one file for each way.
func output(*os.File) (*os.File, error) { return os.OpenFile("CONOUT$", os.O_RDWR, 0) }

// foreground is always true: consoles have no process groups.
func foreground(*os.File) bool { return true }

// prepare throws type-ahead away. restore puts the console's settings back. What is typed is hidden by
// whoever reads it.
func prepare(tty *os.File, _ echo) (restore func(), err error) {
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		return nil, err
	}
	if err := windows.FlushConsoleInputBuffer(windows.Handle(tty.Fd())); err != nil {
		return nil, err
	}
	return func() { _ = term.Restore(int(tty.Fd()), before) }, nil
}

// pasteGap is how long the rest of a paste may take to arrive; nobody types that fast.
const pasteGap = 20 * time.Millisecond

// waiting says whether input lies behind the line that was just read, and throws it away.
func waiting(tty *os.File) bool {
	handle := windows.Handle(tty.Fd())
	event, err := windows.WaitForSingleObject(handle, uint32(pasteGap.Milliseconds()))
	more := err != nil || event == windows.WAIT_OBJECT_0
	return windows.FlushConsoleInputBuffer(handle) != nil || more
}
