package source

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/records"
)

// lie is a process that fetches and was taken over: it does the job, and changes what it says.
type lie struct {
	frameWriter
	order order
	heads int

	onStart  func(*lie) error // instead of the job
	onFiles  func(*lie, []file) error
	onHead   func(*lie, records.Envelope) error
	onClaim  func(*lie, *claim)
	onRecord func(*lie, records.Envelope) error
	onEnd    func(*ending)

	limits Limits // of the source
	option string // of the LimitError that it comes to; "" for a refusal as hostile
	local  bool   // it comes to a failure of this machine
}

// takenOver does a job with lies.
func takenOver(l lie, in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(in)
	if err := decoder.Decode(&l.order); err != nil {
		return err
	}
	l.frameWriter = frameWriter{out: bufio.NewWriter(out), answer: func() (a answer, err error) {
		err = decoder.Decode(&a)
		return a, err
	}}
	if err := l.write(frameHello, []byte(helloText)); err != nil {
		return err
	}
	if err := l.out.Flush(); err != nil {
		return err
	}
	if l.onStart != nil {
		return l.onStart(&l)
	}
	unchanged, err := collect(context.Background(), l.order.Job, Access{}, &l)
	end := ending{unchanged, faultOf(err)}
	if l.onEnd != nil {
		l.onEnd(&end)
	}
	return l.writeJSON(frameEnd, end)
}

func (l *lie) files(changes []file) error {
	if l.onFiles != nil {
		return l.onFiles(l, changes)
	}
	return l.frameWriter.files(changes)
}

func (l *lie) head(e records.Envelope) error {
	l.heads++
	if l.onHead != nil {
		return l.onHead(l, e)
	}
	return l.frameWriter.head(e)
}

func (l *lie) claim(c claim) (bool, error) {
	if l.onClaim != nil {
		l.onClaim(l, &c)
	}
	return l.frameWriter.claim(c)
}

func (l *lie) record(e records.Envelope) error {
	if l.onRecord != nil {
		return l.onRecord(l, e)
	}
	return l.frameWriter.record(e)
}

// lies are what a process can say that was taken over by what it read.
func lies() map[string]lie {
	changed := func(edit func([]file) []file) func(*lie, []file) error {
		return func(l *lie, changes []file) error { return l.frameWriter.files(edit(changes)) }
	}
	return map[string]lie{
		"a record is left out": {onRecord: func(*lie, records.Envelope) error { return nil }},
		"a record is another one": {onRecord: func(l *lie, e records.Envelope) error {
			e.YAML = append(e.YAML, "# more\n"...)
			return l.frameWriter.record(e)
		}},
		"a record has another signature": {onRecord: func(l *lie, e records.Envelope) error {
			e.Sig = append(e.Sig, '\n')
			return l.frameWriter.record(e)
		}},
		"a record comes twice": {onRecord: func(l *lie, e records.Envelope) error {
			return errors.Join(l.frameWriter.record(e), l.frameWriter.record(e))
		}},
		"a file is not on the list": {onFiles: changed(func(f []file) []file { return f[:len(f)-1] })},
		"a file more is on the list": {onFiles: changed(func(f []file) []file {
			last := f[len(f)-1]
			last.path += "x"
			return append(f, last)
		})},
		"a sum is another one":     {onFiles: changed(func(f []file) []file { f[len(f)-1].sum[0] ^= 1; return f })},
		"the list is not in order": {onFiles: changed(func(f []file) []file { f[0], f[1] = f[1], f[0]; return f })},
		"a path leaves its folder": {onFiles: changed(func(f []file) []file {
			f[len(f)-1].path = "records/../../../pins/x.yml"
			return f
		})},
		"the list is cut": {onFiles: func(l *lie, _ []file) error { return l.write(frameFiles, []byte("00 00")) }},
		"the list never ends": {onFiles: func(l *lie, _ []file) error {
			for i := 0; ; i++ {
				f := file{path: fmt.Sprintf("records/any/00/%012d.yml", i), blob: blobID{1}}
				if err := l.frameWriter.files([]file{f}); err != nil {
					return err
				}
			}
		}},
		"the names on the list take too much": {option: "files", limits: Limits{Files: 1000}, onFiles: func(l *lie, _ []file) error {
			long := strings.Repeat("x", 120)
			for i := 0; ; i++ {
				f := file{path: fmt.Sprintf("records/%s/%s/%s/%s%08d", long, long, long, long[:100], i), blob: blobID{1}}
				if err := l.frameWriter.files([]file{f}); err != nil {
					return err
				}
			}
		}},
		"no head": {onHead: func(*lie, records.Envelope) error { return nil }},
		"a head that nobody signed": {onHead: func(l *lie, e records.Envelope) error {
			e.YAML = append(e.YAML, "# more\n"...)
			return l.frameWriter.head(e)
		}},
		"a kept head that is not on the list": {onHead: func(l *lie, e records.Envelope) error {
			if l.heads == 1 {
				err := l.frameWriter.head(e)
				e.Path = records.HeadPath(77)
				return errors.Join(err, l.frameWriter.head(e))
			}
			return l.frameWriter.head(e)
		}},
		"heads without end": {option: "commits", onHead: func(l *lie, e records.Envelope) error {
			for {
				if err := l.frameWriter.head(e); err != nil {
					return err
				}
			}
		}},
		"heads that are nothing but names": {option: "commits", onHead: func(l *lie, e records.Envelope) error {
			for {
				if err := l.frameWriter.head(records.Envelope{Path: strings.Repeat("x", 64<<10)}); err != nil {
					return err
				}
			}
		}},
		"a size is another one": {onFiles: changed(func(f []file) []file { f[len(f)-1].size--; return f })},
		"another branch":        {onClaim: func(_ *lie, c *claim) { c.Branch = "x y" }},
		"fetched again and again": {onStart: func(l *lie) error {
			for {
				if err := l.fetched(); err != nil {
					return err
				}
			}
		}},
		"lists of nothing": {onFiles: func(l *lie, _ []file) error {
			for {
				if err := l.write(frameFiles); err != nil {
					return err
				}
			}
		}},
		"a host whose key is drawn": {onStart: func(l *lie) error {
			_, err := l.ask(question{Host: &HostKey{Host: "host", Fingerprint: "\x1b[2J"}})
			return err
		}},
		"a claim without end": {onClaim: func(_ *lie, c *claim) {
			c.Beside = map[string][]byte{"x": make([]byte, 1<<20)}
		}},
		"questions, and no ear for answers": {onStart: func(l *lie) error {
			for {
				if err := l.writeJSON(frameQuestion, question{URL: "https://bank.example/"}); err != nil {
					return err
				}
			}
		}},
		"another earlier list":    {local: true, onClaim: func(_ *lie, c *claim) { c.Base = strings.Repeat("1", 40) }},
		"a commit that is a path": {onClaim: func(_ *lie, c *claim) { c.Commit = "../../x" }},
		"fewer than no commits":   {onClaim: func(_ *lie, c *claim) { c.Unsealed = -1 }},
		"everything twice": {onClaim: func(l *lie, c *claim) {
			_, _ = l.frameWriter.claim(*c)
		}},
		"nothing changed": {onEnd: func(e *ending) { e.Unchanged = true }},
		"an end at once":  {onStart: func(l *lie) error { return l.writeJSON(frameEnd, ending{}) }},
		"no end":          {onStart: func(*lie) error { return errors.New("a crash") }},
		"a frame of 4 GiB": {onStart: func(l *lie) error {
			_, err := l.out.WriteString("r\xff\xff\xff\xff")
			return errors.Join(err, l.out.Flush())
		}},
		"a frame of no kind": {onStart: func(l *lie) error { return errors.Join(l.write('?'), l.out.Flush()) }},
		"no JSON":            {onStart: func(l *lie) error { return errors.Join(l.write(frameEnd, []byte("{")), l.out.Flush()) }},
		"somebody else's password": {onStart: func(l *lie) error {
			a, err := l.ask(question{URL: "https://bank.example/"})
			return fmt.Errorf("%+v, %w", a, err)
		}},
		"memory without end": {option: "memory", limits: Limits{Memory: 64 << 20}, onStart: func(*lie) error {
			for hoard := [][]byte{}; ; {
				hoard = append(hoard, make([]byte, 1<<20))
				for i := range hoard[len(hoard)-1] {
					hoard[len(hoard)-1][i] = 1
				}
			}
		}},
		"silence": {option: "timeout", limits: Limits{Timeout: 100 * time.Millisecond}, onStart: func(*lie) error { select {} }},
	}
}
