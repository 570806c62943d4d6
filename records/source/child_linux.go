package source

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// dieWithParent has a process killed when the thread ends that starts it. Go keeps its threads, so
// that is when we end, whatever way.
func dieWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// residentMemory is how many bytes of memory a process holds; 0 when it is gone.
func residentMemory(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, resident int64
	if n, err := fmt.Fscan(bytes.NewReader(b), &size, &resident); n != 2 || err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}
