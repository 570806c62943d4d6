// Command bench measures the program as its users run it, process by process, beside the tools that
// they would run otherwise, and prints the rows of docs/benchmarks.md.
//
// Ours and the peer's run alternately in one session, so that a row is a ratio and says little about
// the machine. What they work on is made once, from seeds, and signed for real; it is kept in
// .cache/bench and made again when the code that makes it changes. No figure fails a run, however slow:
// an exit code that is not the expected one does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		}
		os.Exit(1)
	}
}

// bench is one run.
type bench struct {
	sizes    sizes
	rows     []row
	dir      string // what is kept between runs, and the folders of this one
	program  string // distrust, built as it is released
	server   *server
	web      *web // the same repositories, as the simulation reaches them
	made     bool // something of it, in this process
	progress io.Writer
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	quick := flags.Bool("quick", false, "smaller sizes, for a look within three minutes")
	only := flags.String("only", "", "measure only these `ROWS`: P1,P2")
	cache := flags.String("cache", filepath.Join(".cache", "bench"), "keep what is measured in `DIR`")
	logs := flags.Int("scale-logs", 5000, "simulate `N` logs")
	said := flags.Int("scale-records", 400, "simulate `N` records of each log")
	write := flags.String("write", "", "put the table into the page `FILE`, too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen := strings.FieldsFunc(*only, func(r rune) bool { return r == ',' })
	b := &bench{sizes: full, rows: rows(), progress: progress}
	found := report{heads: comparisonHeads}
	switch mode := flags.Arg(0); { // `just bench quick` is what one types
	case flags.NArg() > 1 || mode != "" && mode != "quick" && mode != "scale":
		return fmt.Errorf("%s is not understood: bench [FLAGS] [quick|scale]", strings.Join(flags.Args(), " "))
	case mode == "scale":
		b.sizes, b.rows, found.heads = scaleOf(*logs, *said), scaleRows(), scaleHeads
	case *quick || mode == "quick":
		b.sizes = small
	}
	if *write != "" { // said now, not after ten minutes
		if _, _, err := aroundTable(*write); err != nil {
			return err
		}
	}
	if err := b.open(ctx, *cache, released); err != nil {
		return err
	}
	defer b.server.close()
	defer b.web.close()
	if err := b.makeAll(ctx, chosen); err != nil {
		return err
	}
	found.machine = describe(ctx)
	for _, r := range b.rows {
		if !r.named(chosen) {
			continue
		}
		fmt.Fprintf(progress, "%-4s %s\n", r.id, r.job)
		lines, err := r.measure(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", r.id, err)
		}
		found.add(r, lines)
	}
	found.machine.end()
	if err := found.text(out); err != nil {
		return err
	}
	if *write != "" {
		return found.into(*write)
	}
	return nil
}

// makeAll makes what the chosen rows need. When something had to be made, the program then begins anew: the
// memory that making took would show in that of all commands (peakOf).
func (b *bench) makeAll(ctx context.Context, chosen []string) error {
	for _, r := range b.rows {
		for _, need := range r.needs {
			if !r.named(chosen) {
				break
			}
			if err := need(ctx, b); err != nil {
				return err
			}
		}
	}
	if !b.made {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, os.Args, os.Environ())
}

// released builds the program as it is released (just build).
func released(program string) command {
	return command{
		args: []string{"go", "build", "-trimpath", "-tags", "urfave_cli_no_docs", "-ldflags", "-s -w", "-o", program, "./cli/distrust"},
		env:  append(os.Environ(), "CGO_ENABLED=0"),
	}
}

// open builds the program and makes ready what all rows need.
func (b *bench) open(ctx context.Context, cache string, build func(program string) command) error {
	cache, err := filepath.Abs(cache)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return err
	}
	b.program = filepath.Join(cache, "distrust")
	fmt.Fprintln(b.progress, "building the program")
	if _, err := build(b.program).output(ctx); err != nil {
		return err
	}
	if b.dir, err = keptIn(cache, b.sizes.name); err != nil {
		return err
	}
	if b.server, err = serve(filepath.Join(b.dir, repositories)); err != nil {
		return err
	}
	b.web, err = serveWeb(b.server.http.Handler, b.dir)
	return err
}

// sizes say how much there is to do.
type sizes struct {
	name                  string
	file                  int64 // bytes of the large file
	logs, said            int   // of the large index: logs, and records of each
	large, medium         int   // records of the sources that are synced whole
	sources               int   // that are synced without news
	home, journal         int   // records of the home, accepted files
	statements            []int // of the networks of P13
	people, certification int   // logs of our networks, certifications of an OpenPGP key
	rounds, longRounds    int
}

var (
	full = sizes{
		name: "full", file: 1 << 30, logs: 1000, said: 1000, large: 50_000, medium: 5000, sources: 50,
		home: 10_000, journal: 10_000, statements: []int{10_000, 100_000}, people: 100, certification: 10, rounds: 100, longRounds: 3,
	}
	small = sizes{
		name: "quick", file: 128 << 20, logs: 100, said: 500, large: 5000, medium: 1000, sources: 20,
		home: 1000, journal: 1000, statements: []int{2000}, people: 20, certification: 10, rounds: 30, longRounds: 3,
	}
)
