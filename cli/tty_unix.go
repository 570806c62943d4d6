//go:build unix

package cli

import "os"

// openTTY opens the terminal that controls this process, whatever the streams are.
func openTTY() (*os.File, error) { return os.OpenFile("/dev/tty", os.O_RDWR, 0) }
