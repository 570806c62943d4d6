package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// project reads --for: what the files are said to be.
func (in *Invocation) project() (project, version string, err error) {
	typed := in.String(forFlagName)
	if typed == "" {
		return "", "", nil
	}
	project, version, err = schema.NormalizeProject(typed)
	if err != nil {
		return "", "", BadValue(forFlagName, err)
	}
	in.Env.warnKind(project)
	return project, version, nil
}

// read reads one operand: a file, "-" for standard input, or a digest.
func (in *Invocation) read(ctx context.Context, arg string, opts subject.Options) (subject.Subject, error) {
	if s, is, err := subject.FromDigest(arg); is {
		return s, err
	}
	// A bar would be drawn over what is typed.
	show := in.Env.IsTerminal(in.Env.Stderr) && (arg != "-" || !in.Env.IsTerminal(in.Env.Stdin))
	progress := terminal.NewProgress(in.Env.Stderr, show)
	defer progress.Close()
	if arg == "-" {
		return in.readStdin(ctx, progress, opts)
	}
	var size int64
	if info, err := os.Stat(arg); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	bar := progress.Bar(render.Cut(render.Escape(subject.NameOf(arg)), 30), size, terminal.Bytes)
	defer bar.Done()
	opts.Progress = counter(bar)
	return subject.FromFile(ctx, arg, opts)
}

func (in *Invocation) readStdin(ctx context.Context, progress *terminal.Progress, opts subject.Options) (subject.Subject, error) {
	bar := progress.Bar("standard input", 0, terminal.Bytes)
	defer bar.Done()
	opts.Progress = counter(bar)
	s, err := subject.FromReader(ctx, readerUntil(ctx, in.Env.Stdin), opts)
	if err != nil {
		return s, fmt.Errorf("reading standard input: %w", err)
	}
	return s, nil
}

// readerFunc is a function as an [io.Reader].
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// readerUntil reads from something that may say nothing for ever, and notices the end of ctx all the same.
// After that it is of no more use: a read may still be under way.
func readerUntil(ctx context.Context, from io.Reader) io.Reader {
	type result struct {
		n   int
		err error
	}
	return readerFunc(func(p []byte) (int, error) {
		came := make(chan result, 1)
		go func() {
			n, err := from.Read(p)
			came <- result{n, err}
		}()
		select {
		case r := <-came:
			return r.n, r.err
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
}

// counter turns totals into the steps that a bar counts.
func counter(bar *terminal.Bar) func(int64) {
	var last int64
	return func(read int64) {
		bar.Add(read - last)
		last = read
	}
}

// query is what is asked about a subject.
func query(s subject.Subject, project, version string) trust.Query {
	return trust.Query{Name: s.Name, Size: s.Size, Digest: s.Digest, Project: project, Version: version}
}

// fileSubject is what a record says about a subject. A name that no record may hold, as it would
// mislead its readers, is left out: the bytes are what it is about (F1, F2).
func fileSubject(s subject.Subject) schema.Subject {
	one := schema.Subject{File: s.Name, Size: s.Size, Digest: s.Digest}
	if schema.ValidText(s.Name) != nil {
		one.File = ""
	}
	return one
}

// shownAs is a subject as a word of a command to paste.
func shownAs(s subject.Subject) render.Arg {
	digest := ""
	if s.Digest.SHA256 != "" {
		digest = "sha256:" + s.Digest.SHA256
	}
	if s.Arg == "-" && digest != "" {
		return render.Word(digest)
	}
	return render.File(s.Arg, digest)
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
