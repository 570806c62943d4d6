//go:build !linux

package source

import "os/exec"

// dieWithParent has nothing to do: a process that fetches ends when its standard input does.
func dieWithParent(*exec.Cmd) {}

// residentMemory is not known here: the limit of the process's own collector has to do.
func residentMemory(int) int64 { return 0 }
