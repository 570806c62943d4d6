package terminal

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// screen remembers what is written, and tells when something contains a text.
type screen struct {
	mu   sync.Mutex
	all  bytes.Buffer
	want string
	seen chan struct{}
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all.Write(b)
	if s.want != "" && strings.Contains(s.all.String(), s.want) {
		s.want = ""
		close(s.seen)
	}
	return len(b), nil
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

func TestProgress(t *testing.T) {
	t.Parallel()
	s := &screen{want: "alice", seen: make(chan struct{})}
	p := NewProgress(s, true)
	bar := p.Bar("alice", 0, Bytes)
	bar.SetTotal(2 << 20)
	bar.Add(1 << 20)
	other := p.Bar("bob", 3, Count)
	other.Add(3)
	p.begin() // the second has passed
	<-s.seen
	if text := s.text(); !strings.Contains(text, "1.0 MiB / 2.0 MiB") {
		t.Errorf("no amounts in %q", text)
	}
	bar.Done()
	p.Close()
	// Each frame is erased before the next; behind the last there is nothing.
	text := s.text()
	if last := text[strings.LastIndex(text, "\x1b[J")+3:]; strings.TrimSpace(last) != "" {
		t.Errorf("%q stays on the screen", last)
	}
}

// TestNothingOfProgressStays ends work in every state that a bar can be in.
func TestNothingOfProgressStays(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(p *Progress, b *Bar){
		"in the middle":   func(*Progress, *Bar) {},
		"done":            func(_ *Progress, b *Bar) { b.Add(1 << 20); b.Done() },
		"complete":        func(_ *Progress, b *Bar) { b.Add(1 << 20) },
		"taken off":       func(_ *Progress, b *Bar) { b.Done() },
		"of another size": func(_ *Progress, b *Bar) { b.SetTotal(1 << 19) },
		"closed already":  func(p *Progress, b *Bar) { p.Close(); b.Add(1); b.Done() },
	} {
		s := &screen{want: "1.0 MiB", seen: make(chan struct{})}
		p := NewProgress(s, true)
		bar := p.Bar("alice", 2<<20, Bytes)
		bar.Add(1 << 20)
		p.begin()
		<-s.seen
		end(p, bar)
		p.Close()
		text := s.text()
		if last := text[strings.LastIndex(text, "\x1b[J")+3:]; last != "" {
			t.Errorf("%s: %q stays on the screen", name, last)
		}
	}
}

func TestProgressOfUnknownLength(t *testing.T) {
	t.Parallel()
	s := &screen{want: "1.0 MiB\n", seen: make(chan struct{})}
	p := NewProgress(s, true)
	p.Bar("alice", 0, Bytes).Add(1 << 20)
	p.begin()
	<-s.seen
	p.Close()
}

func TestProgressOfShortWork(t *testing.T) {
	t.Parallel()
	s := &screen{}
	p := NewProgress(s, true)
	bar := p.Bar("alice", 10, Count)
	bar.Add(10)
	p.Close()
	if text := s.text(); text != "" {
		t.Errorf("work of less than a second shows %q", text)
	}
}

func TestNoProgress(t *testing.T) {
	t.Parallel()
	s := &screen{}
	p := NewProgress(s, false)
	bar := p.Bar("alice", 10, Count)
	bar.Add(1)
	bar.SetTotal(5)
	bar.Done()
	p.Close()
	if p != nil || s.text() != "" {
		t.Errorf("shows %q where nobody looks", s.text())
	}
}
