package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// peakOf is the most memory that a process, or a descendant that it waited for, held. What the kernel
// says of a new process begins with what we held when we started it: less than that cannot be seen.
func peakOf(p *os.ProcessState) int64 {
	if usage, ok := p.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss << 10
	}
	return 0
}

// writtenBy is how much a process, and the descendants that it waited for, had written to the disk.
func writtenBy(p *os.ProcessState) int64 {
	if usage, ok := p.SysUsage().(*syscall.Rusage); ok {
		return usage.Oublock * 512
	}
	return 0
}

// forgetPeak makes what we hold as little as it can be, and forgets how much it was. Where something
// of that is not allowed, small peaks are shown too large.
func forgetPeak() {
	debug.FreeOSMemory()
	if maps, err := os.ReadFile("/proc/self/maps"); err == nil {
		for line := range strings.Lines(string(maps)) {
			letGo(line)
		}
	}
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// letGo gives back the pages of a mapping of program code, which nobody writes to: they come again from
// the file when they are needed.
func letGo(mapping string) {
	var from, to uintptr
	var may string
	if n, _ := fmt.Sscanf(mapping, "%x-%x %s", &from, &to, &may); n == 3 && may == "r-xp" && strings.Contains(mapping, " /") {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_DONTNEED)
	}
}

// lookEvery is how often the memory of processes that take long is added up.
const lookEvery = 20 * time.Millisecond

// watchMemory adds up what a process and all its descendants hold, until the function that it returns
// is called; that gives the highest sum. The pages of their files count once: they are the same program's.
func watchMemory(pid int) func() int64 {
	stop, done := make(chan struct{}), make(chan int64)
	go func() {
		var highest int64
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				done <- highest
				return
			case <-tick.C:
				own, files := held(pid)
				highest = max(highest, own+files)
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-done
	}
}

// held is what a process and its descendants hold of their own, all together, and the most that one
// of them holds of files.
func held(pid int) (own, files int64) {
	base := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(base, "status"))
	if err != nil {
		return 0, 0 // it is over
	}
	for line := range bytes.Lines(status) {
		var kib int64
		if n, _ := fmt.Sscanf(string(line), "RssAnon: %d kB", &kib); n == 1 {
			own += kib << 10
		}
		if n, _ := fmt.Sscanf(string(line), "RssFile: %d kB", &kib); n == 1 {
			files = kib << 10
		}
	}
	lists, err := filepath.Glob(filepath.Join(base, "task", "*", "children"))
	if err != nil {
		return own, files
	}
	for _, list := range lists {
		children, err := os.ReadFile(list)
		if err != nil {
			continue
		}
		for _, child := range strings.Fields(string(children)) {
			if id, err := strconv.Atoi(child); err == nil {
				theirs, mapped := held(id)
				own, files = own+theirs, max(files, mapped)
			}
		}
	}
	return own, files
}
