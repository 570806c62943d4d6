package schema

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func testHead() *Head {
	return &Head{
		Log: testLog, Salt: testSalt, Name: "Alice \"A\" Example", Contact: "mailto:alice@example.org", URL: "https://example.org/alice/trust.git",
		Projects: []string{"pkg:github/alice/*"}, Epoch: 1, Seq: 42, Prev: testSHA, Root: testSHA, Records: 128,
		Issued: testTime, Expires: testTime.Add(MaxHeadLifetime),
		Keys: []Key{{Key: testKey, Name: "laptop", State: Active}, {Key: testKey[:len(testKey)-4], State: Compromised, Recovery: true}},
		Keep: []string{testSHA},
	}
}

func TestHeadRoundTrip(t *testing.T) {
	t.Parallel()
	first := testHead()
	first.Seq, first.Prev, first.Epoch, first.Records = 1, "", 0, 0
	first.Name, first.Contact, first.URL, first.Projects, first.Keep = "", "", "", nil, nil
	for _, h := range []*Head{testHead(), first} {
		text, err := h.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseHead("head.yml", text)
		if err != nil || !reflect.DeepEqual(h, again) {
			t.Errorf("wrote %+v\nread  %+v, %v\n%s", h, again, err, text)
		}
	}
}

func TestHeadText(t *testing.T) {
	t.Parallel()
	text, err := testHead().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	want := `distrust: 1
kind: "head"
log: "` + testLog + `"
salt: "` + testSalt + `"
name: "Alice \"A\" Example"
contact: "mailto:alice@example.org"
url: "https://example.org/alice/trust.git"
projects:
  - "pkg:github/alice/*"
epoch: 1
seq: 42
prev: "` + testSHA + `"
root: "` + testSHA + `"
records: 128
issued: 2026-11-21T10:00:00Z
expires: 2027-12-26T10:00:00Z
keys:
  - {key: "` + testKey + `", name: "laptop", state: "active"}
  - {key: "` + testKey[:len(testKey)-4] + `", state: "compromised", recovery: true}
keep:
  - "` + testSHA + `"
`
	if string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

func TestHeadMarshalRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*Head){
		"log":      func(h *Head) { h.Log = testSHA },
		"salt":     func(h *Head) { h.Salt = "" },
		"name":     func(h *Head) { h.Name = "a\u202eb" },
		"contact":  func(h *Head) { h.Contact = "javascript:alert(1)" },
		"url":      func(h *Head) { h.URL = "a\nb" },
		"projects": func(h *Head) { h.Projects = []string{"alice"} },
		"epoch":    func(h *Head) { h.Epoch = -1 },
		"seq":      func(h *Head) { h.Seq = 0 },
		"prev":     func(h *Head) { h.Prev = "" },
		"root":     func(h *Head) { h.Root = "" },
		"records":  func(h *Head) { h.Records = -1 },
		"issued":   func(h *Head) { h.Issued = h.Issued.Add(time.Millisecond) },
		"expires":  func(h *Head) { h.Expires = time.Time{} },
		"keys":     func(h *Head) { h.Keys = nil },
		"keys[1]":  func(h *Head) { h.Keys[1].Key = h.Keys[0].Key },
		"keys[0]":  func(h *Head) { h.Keys[0].State = "" },
		"keep":     func(h *Head) { h.Keep = make([]string, MaxKeep+1) },
		"keep[0]":  func(h *Head) { h.Keep[0] = "" },
		"first":    func(h *Head) { h.Seq = 1 },
		"65536":    func(h *Head) { h.Name = strings.Repeat("x", MaxHeadBytes) },
	}
	for want, change := range tests {
		h := testHead()
		change(h)
		if _, err := h.Marshal(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestPrivateLog(t *testing.T) {
	t.Parallel()
	p := &PrivateLog{Log: testLog, Key: testKey, Salt: testSalt}
	text, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParsePrivateLog("log.yml", text); err != nil || *again != *p {
		t.Errorf("wrote %+v, read %+v, %v", p, again, err)
	}
	for old, new := range map[string]string{
		"distrust: 1": "distrust: 2", `"private"`: `"head"`, "salt:": "pepper:", testLog: testLog[1:], testSalt + `"`: testSalt + "00\"",
		testKey: "x", "log:": "# log:", "kind:": "# kind:",
	} {
		if _, err := ParsePrivateLog("log.yml", []byte(strings.Replace(string(text), old, new, 1))); err == nil {
			t.Errorf("%s in place of %s is accepted", new, old)
		}
	}
	p.Key = ""
	if _, err := p.Marshal(); err == nil {
		t.Error("a private log without key is written")
	}
}
