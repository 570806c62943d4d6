package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// command is something to run, and what it has to end with.
type command struct {
	args   []string
	dir    string
	env    []string
	stdin  string       // a file; "" for nothing
	exit   int          // the exit code that is right
	before func() error // what is put in place for it, and not measured
}

// run runs a command and measures it. Another exit code than the right one is an error. To see how
// little memory it takes, we let go of ours first, which makes the start a little slower.
func (c command) run(ctx context.Context, lean bool) (sample, error) {
	if c.before != nil {
		if err := c.before(); err != nil {
			return sample{}, err
		}
	}
	cmd, err := c.prepare(ctx)
	if err != nil {
		return sample{}, err
	}
	if stdin, ok := cmd.Stdin.(*os.File); ok {
		defer stdin.Close()
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = nil, &said // results go to the null device
	if lean {
		forgetPeak()
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return sample{}, fmt.Errorf("starting %s: %w", c.args[0], err)
	}
	watched := watchMemory(cmd.Process.Pid)
	failed := cmd.Wait()
	s := sample{wall: time.Since(start)}
	s.memory = max(watched(), peakOf(cmd.ProcessState))
	s.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	s.written = writtenBy(cmd.ProcessState)
	switch code := cmd.ProcessState.ExitCode(); {
	case code < 0:
		return s, fmt.Errorf("%s: %w\n%s", strings.Join(c.args, " "), failed, said.Bytes())
	case code != c.exit:
		return s, fmt.Errorf("%s: exit code %d instead of %d\n%s", strings.Join(c.args, " "), code, c.exit, said.Bytes())
	}
	return s, nil
}

// output runs a command and gives what it printed.
func (c command) output(ctx context.Context) ([]byte, error) {
	cmd, err := c.prepare(ctx)
	if err != nil {
		return nil, err
	}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s%s", strings.Join(c.args, " "), err, out.Bytes(), said.Bytes())
	}
	return out.Bytes(), nil
}

func (c command) prepare(ctx context.Context) (*exec.Cmd, error) {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir, cmd.Env = c.dir, c.env
	if c.env == nil {
		cmd.Env = stockEnv(os.DevNull)
	}
	if c.stdin != "" {
		f, err := os.Open(c.stdin)
		if err != nil {
			return nil, err
		}
		cmd.Stdin = f
	}
	return cmd, nil
}

// stockEnv is an environment with a home folder, and without the settings of who runs this.
func stockEnv(home string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=bench", "GIT_AUTHOR_EMAIL=bench@example.org", "GIT_COMMITTER_NAME=bench", "GIT_COMMITTER_EMAIL=bench@example.org",
	}
}

// sample is what one run cost.
type sample struct {
	wall, cpu time.Duration
	memory    int64 // bytes at the peak; 0 where the system does not say
	written   int64 // bytes to the disk; 0 where the system does not say
}

// samples are runs of one command.
type samples struct {
	runs  []sample
	peaks []int64 // of memory
}

// leanRounds are those that show the memory of commands that end so soon that their time is taken
// in others. They also warm up.
const leanRounds = 3

// alternate runs the commands in turns, so many rounds of them. Few rounds are of commands that take
// long: all of them count for both.
func alternate(ctx context.Context, rounds int, commands ...command) ([]samples, error) {
	all := make([]samples, len(commands))
	few := rounds <= leanRounds
	if !few {
		rounds += leanRounds
	}
	for round := range rounds {
		lean := round < leanRounds
		for i, c := range commands {
			s, err := c.run(ctx, lean)
			if err != nil {
				return nil, err
			}
			if lean {
				all[i].peaks = append(all[i].peaks, s.memory)
			}
			if !lean || few {
				all[i].runs = append(all[i].runs, s)
			}
		}
	}
	return all, nil
}

// metric is one of the costs of a run.
type metric func(sample) time.Duration

func wall(s sample) time.Duration { return s.wall }
func cpu(s sample) time.Duration  { return s.cpu }

// quantile is what so much of the runs stays below, between two runs in proportion.
func (s samples) quantile(of metric, q float64) time.Duration {
	costs := make([]time.Duration, len(s.runs))
	for i, one := range s.runs {
		costs[i] = of(one)
	}
	slices.Sort(costs)
	at := q * float64(len(costs)-1)
	low := int(at)
	high := min(low+1, len(costs)-1)
	return costs[low] + time.Duration((at-float64(low))*float64(costs[high]-costs[low]))
}

func (s samples) median(of metric) time.Duration { return s.quantile(of, 0.5) }

// memory is the median of the peaks: one run's garbage collector may be late.
func (s samples) memory() int64 {
	if len(s.peaks) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(s.peaks))[len(s.peaks)/2]
}

// written is the median of what was written to the disk.
func (s samples) written() int64 {
	var all []int64
	for _, one := range s.runs {
		all = append(all, one.written)
	}
	slices.Sort(all)
	return all[len(all)/2]
}
