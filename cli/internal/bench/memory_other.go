//go:build !linux

package main

import "os"

// peakOf is not known here.
func peakOf(*os.ProcessState) int64 { return 0 }

func forgetPeak() {}

// watchMemory looks at nothing here.
func watchMemory(int) func() int64 { return func() int64 { return 0 } }

// writtenBy is not known here.
func writtenBy(*os.ProcessState) int64 { return 0 }
