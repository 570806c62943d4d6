package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/distributed-trust/distrust/schema"
)

// ParseSources reads a sources.yml. Errors are of type [*FileError]. Names are unique, and so are logs
// (D1: at most one follow for a log).
func ParseSources(file string, b []byte) ([]Source, error) {
	r := reader{file}
	root, err := r.document(b)
	if root == nil || err != nil {
		return nil, err
	}
	var list *yaml.Node
	err = r.mapping(root, "sources.yml", map[string]field{
		"sources": func(n *yaml.Node) error { list = n; return nil },
	})
	if err != nil || list == nil || isNull(list) {
		return nil, err
	}
	if list.Kind != yaml.SequenceNode {
		return nil, r.errorf(list, "sources must be a list (- name: ...)")
	}
	sources := make([]Source, 0, len(list.Content))
	seen := entriesSeen{names: map[string]bool{}, logs: map[string]string{}}
	for _, item := range list.Content {
		s, err := r.source(item)
		if err != nil {
			return nil, err
		}
		if err := seen.add(s); err != nil {
			return nil, r.errorf(item, "%v", err)
		}
		sources = append(sources, s)
	}
	return sources, nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// entriesSeen are the names of the entries so far, and by whom logs are followed.
type entriesSeen struct {
	names map[string]bool
	logs  map[string]string
}

// add says whether s may stand beside the entries so far, and is one of them then.
func (e entriesSeen) add(s Source) error {
	if e.names[s.Name] {
		return fmt.Errorf("there are two sources named %q", s.Name)
	}
	e.names[s.Name] = true
	if s.Log == "" {
		return nil
	}
	if name, taken := e.logs[s.Log]; taken {
		return fmt.Errorf("%q and %q follow the same log", name, s.Name)
	}
	e.logs[s.Log] = s.Name
	return nil
}

// source reads one entry.
func (r reader) source(n *yaml.Node) (Source, error) {
	s := Source{Weight: DefaultWeight, ViaMax: DefaultViaMax}
	err := r.mapping(n, "a source", map[string]field{
		"name":        r.text(&s.Name, ValidName),
		"log":         r.text(&s.Log, validLog),
		"url":         r.text(&s.URL, anyText),
		"fingerprint": r.text(&s.Fingerprint, ValidFingerprint),
		"weight":      parsed(r, &s.Weight, ParseWeight),
		"depth":       number(r, &s.Depth, 0, MaxDepth),
		"via_max":     number(r, &s.ViaMax, 0, 100),
		"scopes":      r.patterns(&s.Scopes),
		"expires":     r.moment(&s.Expires),
		"transport":   parsed(r, &s.Transport, parseTransport),
		"insecure":    r.truth(&s.Insecure),
		"limits":      func(n *yaml.Node) error { return r.limits(n, &s.Limits) },
	})
	switch {
	case err != nil:
		return Source{}, err
	case s.Name == "":
		return Source{}, r.errorf(n, "a source needs a name")
	case s.URL == "":
		return Source{}, r.errorf(n, "source %q needs a url", s.Name)
	}
	return s, nil
}

// patterns reads a list of patterns; the short forms of the command line are taken too, as people
// write this file.
func (r reader) patterns(to *[]string) field {
	return func(n *yaml.Node) error {
		var typed []string
		if err := r.texts(&typed, anyText)(n); err != nil {
			return err
		}
		for i, s := range typed {
			if schema.ValidPattern(s) != nil {
				var err error
				if s, err = schema.NormalizePattern(s); err != nil {
					return r.errorf(n.Content[i], "%v", err)
				}
			}
			*to = append(*to, s)
		}
		return nil
	}
}

// maxLimit is how far a limit can be raised: further than any machine, and what is reckoned with it stays
// a number.
const maxLimit = 1 << 40

// limits reads what raises the limits of F7.
func (r reader) limits(n *yaml.Node, to *Limits) error {
	fields := map[string]field{
		"timeout": parsed(r, &to.Timeout, parseTimeout),
		"idle":    parsed(r, &to.Idle, parseTimeout),
	}
	for _, l := range to.numbers() {
		fields[l.name] = number(r, l.value, 1, maxLimit)
	}
	return r.mapping(n, "limits", fields)
}

// limit is one number of [Limits] with the name that it has in the file.
type limit struct {
	name  string
	value *int64
}

// numbers are the limits that are numbers, in the order in which they are written.
func (l *Limits) numbers() []limit {
	return []limit{
		{"pack", &l.Pack},
		{"objects", &l.Objects},
		{"object", &l.Object},
		{"inflated", &l.Inflated},
		{"advertisement", &l.Advertisement},
		{"store", &l.Store},
		{"memory", &l.Memory},
		{"files", &l.Files},
		{"bytes", &l.Bytes},
		{"commits", &l.Commits},
		{"edges", &l.Edges},
		{"patterns", &l.Patterns},
		{"vanished", &l.Vanished},
	}
}

// reserved are names that our own output uses for the user.
var reserved = []string{"you", "own"}

// maxName is how long a name may be.
const maxName = 64

// ValidName says whether a source can have this name: letters, digits, dot, dash and underscore,
// not beginning with a mark, so that it needs no quotes and is never taken for a URL or a flag.
func ValidName(s string) error {
	for _, taken := range reserved {
		if s == taken {
			return fmt.Errorf("the name %q stands for the user", s)
		}
	}
	if len(s) > maxName || !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`).MatchString(s) {
		return fmt.Errorf("%q is no name: letters, digits, and . - _ inside, at most %d", s, maxName)
	}
	return nil
}

// ValidFingerprint says whether s has the form of OpenSSH's SHA-256 fingerprints.
func ValidFingerprint(s string) error {
	if !regexp.MustCompile(`^SHA256:[A-Za-z0-9+/]{43}$`).MatchString(s) {
		return fmt.Errorf("%q is no fingerprint: SHA256: and 43 letters or digits", s)
	}
	return nil
}

func validLog(s string) error {
	if len(s) != 32 || strings.Trim(s, "0123456789abcdef") != "" {
		return fmt.Errorf("%q is no log: 32 hexadecimal digits in lower case", s)
	}
	return nil
}

func anyText(string) error { return nil }

// parseTimeout reads the short lengths of time of limits: 90s, 2m.
func parseTimeout(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is no time limit: write it as 90s or 2m", s)
	}
	return d, nil
}

func parseTransport(s string) (Transport, error) {
	switch s {
	case "builtin":
		return Builtin, nil
	case "git":
		return Git, nil
	}
	return "", errors.New("transport is builtin or git")
}
