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
