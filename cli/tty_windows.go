package cli

import "os"

// openTTY opens the console that this process is attached to, whatever the streams are.
func openTTY() (*os.File, error) { return os.OpenFile("CONIN$", os.O_RDWR, 0) }

// atPrompt is not known here; scripts on a terminal are told, too.
func atPrompt() bool { return true }
