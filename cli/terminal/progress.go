package terminal

import (
	"fmt"
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
	late  chan struct{} // closed when the delay has passed
	begin func()        // ends the delay
	timer *time.Timer

	mu  sync.Mutex
	all []*mpb.Bar
}

// Unit says what a bar counts.
type Unit int

// The units of bars.
const (
	Count Unit = iota
	Bytes
)

// counted is how far something has come. A total that is not known is not shown.
func (u Unit) counted(done, total int64) string {
	switch {
	case u == Bytes && total > 0:
		return fmt.Sprintf("% .1f / % .1f", decor.SizeB1024(done), decor.SizeB1024(total))
	case u == Bytes:
		return fmt.Sprintf("% .1f", decor.SizeB1024(done))
	case total > 0:
		return fmt.Sprintf("%d / %d", done, total)
	}
	return fmt.Sprint(done)
}

// NewProgress makes a place for bars on w. show is false where nobody looks: w is no terminal,
// it is a dumb one, or the user asked for quiet; then nothing is ever written.
func NewProgress(w io.Writer, show bool) *Progress {
	if !show {
		return nil
	}
	late := make(chan struct{})
	p := &Progress{
		late:  late,
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
	counters := decor.Any(func(s decor.Statistics) string { return unit.counted(s.Current, s.Total) }, decor.WCSyncSpace)
	style := mpb.BarStyle().Lbound("[").Filler("#").Tip("#").Padding(".").Rbound("]")
	bar := p.bars.New(total, style, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(counters))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, bar)
	return &Bar{bar}
}

// Close takes the bars off the screen. It must be called before anything else is written there.
func (p *Progress) Close() {
	if p == nil {
		return
	}
	p.timer.Stop()
	select {
	case <-p.late:
	default:
		p.bars.Shutdown() // nothing was ever shown
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, bar := range p.all {
		bar.Abort(true)
	}
	p.bars.Wait() // a shutdown would leave the last frame where it is
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
