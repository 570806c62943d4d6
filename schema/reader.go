package schema

import (
	"fmt"
	"time"

	"gopkg.in/yaml.v3"
)

// A reader takes typed values out of checked nodes. It remembers the first error and goes on
// with zero values, for one reason: a field that nobody knows makes the whole document not
// understood (F1), wherever it stands and whatever else is wrong.
type reader struct {
	file string
	err  *Error
}

// fail refuses the document at n, unless something earlier has refused it already.
func (r *reader) fail(n *yaml.Node, rule Rule, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{File: r.file, Line: n.Line, Rule: rule, Reason: fmt.Sprintf(format, args...)}
	}
}

// unknown makes the document not understood, which goes before every other error.
func (r *reader) unknown(n *yaml.Node, format string, args ...any) {
	if r.err == nil || !r.err.notUnderstood {
		r.err = &Error{
			File: r.file, Line: n.Line, Rule: F1, notUnderstood: true,
			Reason: fmt.Sprintf(format, args...) + ": " + ErrNotUnderstood.Error(),
		}
	}
}

// envelope reads the two fields that every document has and that say what the others are. It
// gives no kind when these cannot be judged by this version of the format.
func (r *reader) envelope(root *yaml.Node, rule Rule) Kind {
	version, kind := field(root, "distrust"), field(root, "kind")
	if version == nil {
		r.fail(root, rule, "the field distrust, the format version, is missing")
		return ""
	}
	if v := r.integer(version); r.err == nil && v != Version {
		r.unknown(version, "format version %d", v)
		return ""
	}
	if kind == nil {
		r.fail(root, rule, "the field kind is missing")
		return ""
	}
	return Kind(r.text(kind))
}

// field gives the value of one field of a mapping, nil when it is not there.
func field(m *yaml.Node, name string) *yaml.Node {
	for i := 0; i < len(m.Content); i += 2 {
		if m.Content[i].Value == name {
			return m.Content[i+1]
		}
	}
	return nil
}

// mapping calls each for every field of n; each says whether it knows the field.
func (r *reader) mapping(n *yaml.Node, each func(name string, key, value *yaml.Node) bool) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, F1, "a mapping is expected here")
		return
	}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !each(key.Value, key, value) {
			r.unknown(key, "field %s", quote(key.Value))
		}
	}
}

// sequence gives the items of n, none when it is no sequence.
func (r *reader) sequence(n *yaml.Node) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, F1, "a sequence is expected here")
		return nil
	}
	return n.Content
}

// text reads a string, which may be empty.
func (r *reader) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || !isString(n) {
		r.fail(n, F1, "a string is expected here: put it in double quotes")
		return ""
	}
	return n.Value
}

// filled reads a string that is not empty: in the Go types an empty one means that the field
// is absent.
func (r *reader) filled(n *yaml.Node, rule Rule) string {
	s := r.text(n)
	if s == "" {
		r.fail(n, rule, "the value is empty")
	}
	return s
}

// hex reads a string of lower-case hex digits of any length but 0.
func (r *reader) hex(n *yaml.Node) string {
	s := r.text(n)
	if s == "" || !lowerHex(s) {
		r.fail(n, F1, "lower-case hex digits are expected here")
	}
	return s
}

// texts reads a sequence of strings that are not empty; nil when it has no items.
func (r *reader) texts(n *yaml.Node, item func(*yaml.Node) string) []string {
	nodes := r.sequence(n)
	if len(nodes) == 0 {
		return nil
	}
	list := make([]string, len(nodes))
	for i, node := range nodes {
		list[i] = item(node)
	}
	return list
}

// someTexts is texts for a list that must not be empty where it stands: "nothing" and "no
// bound" would look alike.
func (r *reader) someTexts(n *yaml.Node, rule Rule) []string {
	list := r.texts(n, func(n *yaml.Node) string { return r.filled(n, rule) })
	if len(list) == 0 {
		r.fail(n, rule, "the list is empty")
	}
	return list
}

// ids reads a sequence of record ids.
func (r *reader) ids(n *yaml.Node) []string { return r.texts(n, r.hex) }

// integer reads a plain integer.
func (r *reader) integer(n *yaml.Node) int64 {
	if n.Kind == yaml.ScalarNode && n.Style == 0 {
		if v, ok := parseInt(n.Value); ok {
			return v
		}
	}
	r.fail(n, F1, "a plain integer of at most 16 digits is expected here")
	return 0
}

// within reads a plain integer in a range.
func (r *reader) within(n *yaml.Node, least, most int64) int {
	v := r.integer(n)
	if v < least || v > most {
		r.fail(n, F2, "%d is not in %d to %d", v, least, most)
		return 0
	}
	return int(v)
}

// flag reads a plain true or false.
func (r *reader) flag(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode || n.Style != 0 || n.Value != "true" && n.Value != "false" {
		r.fail(n, F1, "true or false is expected here")
	}
	return n.Value == "true"
}

// time reads a plain time.
func (r *reader) time(n *yaml.Node) time.Time {
	if n.Kind == yaml.ScalarNode && n.Style == 0 {
		if t, ok := parseTime(n.Value); ok {
			return t
		}
	}
	r.fail(n, F1, "a plain time like 2026-11-21T10:00:00Z is expected here")
	return time.Time{}
}
