package terminal

import (
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// delay is how long work takes before its progress is worth showing (C1).
const delay = time.Second

// Progress shows how far long work has come, on a terminal only and not before a second has
// passed; when it is closed, nothing of it stays on the screen. A nil Progress shows nothing.
type Progress struct {
	bars  *mpb.Progress
	begin func() // ends the delay
	timer *time.Timer
}

// Unit says what a bar counts.
type Unit int

// The units of bars.
const (
	Count Unit = iota
	Bytes
)

// NewProgress makes a place for bars on w. show is false where nobody looks: w is no terminal,
// it is a dumb one, or the user asked for quiet; then nothing is ever written.
func NewProgress(w io.Writer, show bool) *Progress {
	if !show {
		return nil
	}
	late := make(chan struct{})
	p := &Progress{
		bars:  mpb.New(mpb.WithOutput(w), mpb.WithWidth(60), mpb.WithAutoRefresh(), mpb.WithRenderDelay(late)),
		begin: sync.OnceFunc(func() { close(late) }),
	}
	p.timer = time.AfterFunc(delay, p.begin)
	return p
}

// Bar adds one line for one piece of work. name must be safe to print; total is 0 when it is
// not known yet.
func (p *Progress) Bar(name string, total int64, unit Unit) *Bar {
	if p == nil {
		return nil
	}
	counters := decor.CountersNoUnit("%d / %d", decor.WCSyncSpace)
	if unit == Bytes {
		counters = decor.CountersKibiByte("% .1f / % .1f", decor.WCSyncSpace)
	}
	style := mpb.BarStyle().Lbound("[").Filler("#").Tip("#").Padding(".").Rbound("]")
	return &Bar{p.bars.New(total, style, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(counters))}
}

// Close takes the bars off the screen. It must be called before anything else is written there.
func (p *Progress) Close() {
	if p == nil {
		return
	}
	p.timer.Stop()
	p.bars.Shutdown()
}

// Bar is the progress of one piece of work. A nil Bar shows nothing.
type Bar struct {
	bar *mpb.Bar
}

// Add says that n more are done.
func (b *Bar) Add(n int64) {
	if b != nil {
		b.bar.IncrInt64(n)
	}
}

// SetTotal says how many there are in all.
func (b *Bar) SetTotal(n int64) {
	if b != nil {
		b.bar.SetTotal(n, false)
	}
}

// Done takes the bar off the screen.
func (b *Bar) Done() {
	if b != nil {
		b.bar.Abort(true)
	}
}
