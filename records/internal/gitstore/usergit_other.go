//go:build !unix

package gitstore

import "os/exec"

// startApart starts a process; what that starts ends when its pipes do.
func startApart(command *exec.Cmd, _ int64) error { return command.Start() }
