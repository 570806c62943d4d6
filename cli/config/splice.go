package config

import (
	"errors"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// errLayout says that the lines of a file cannot be edited, only its nodes.
var errLayout = errors.New("not in block layout")

// lines is a text under edit, with the changes to make at the end, so that the line numbers of
// the nodes stay true.
type lines struct {
	old     []string
	changes []change
}

// change replaces the lines from..to (0 and up, to excluded) by others.
type change struct {
	from, to int
	with     []string
}

func splitLines(text string) *lines {
	old := strings.Split(text, "\n")
	if old[len(old)-1] == "" {
		old = old[:len(old)-1]
	}
	return &lines{old: old}
}

func (l *lines) replace(from, to int, with ...string) {
	l.changes = append(l.changes, change{from, to, with})
}

// String is the text with all changes made.
func (l *lines) String() string {
	out := slices.Clone(l.old)
	slices.SortStableFunc(l.changes, func(a, b change) int { return b.from - a.from })
	for _, c := range l.changes {
		out = slices.Replace(out, c.from, c.to, c.with...)
	}
	if len(out) == 0 {
		return ""
	}
	return strings.Join(out, "\n") + "\n"
}

// spliceSources edits the lines of sources.yml; root is nil when the file says nothing yet.
func spliceSources(text string, root *yaml.Node, old, want []Source) (string, error) {
	l := splitLines(text)
	var added []Source
	for _, s := range want {
		if byName(old, s.Name) == nil {
			added = append(added, s)
		}
	}
	if root != nil && root.Style&yaml.FlowStyle != 0 {
		return "", errLayout
	}
	list := value(root, "sources")
	switch {
	case list == nil:
		l.replace(len(l.old), len(l.old), append([]string{"sources:"}, entries(added, "  ")...)...)
		return l.String(), nil
	case isNull(list):
		at := key(root, "sources").Line
		l.replace(at, at, entries(added, "  ")...)
		return l.String(), nil
	case list.Style&yaml.FlowStyle != 0:
		return "", errLayout
	}
	for i, item := range list.Content {
		if item.Style&yaml.FlowStyle != 0 {
			return "", errLayout
		}
		new := byName(want, old[i].Name)
		if new == nil {
			l.removeEntry(list, i)
			continue
		}
		if err := l.set(item, old[i].pairs(), new.pairs()); err != nil {
			return "", err
		}
	}
	l.append(list, added)
	return l.String(), nil
}

// spliceConfig edits the lines of config.yml.
func spliceConfig(text string, root *yaml.Node, old, want Config) (string, error) {
	l := splitLines(text)
	if root == nil {
		for _, p := range want.pairs() {
			l.replace(len(l.old), len(l.old), p.key+": "+p.text)
		}
		return l.String(), nil
	}
	if root.Style&yaml.FlowStyle != 0 {
		return "", errLayout
	}
	if err := l.set(root, old.pairs(), want.pairs()); err != nil {
		return "", err
	}
	return l.String(), nil
}

// set changes the fields of one mapping from old to want. What stands behind a changed value as
// a comment stays there.
func (l *lines) set(mapping *yaml.Node, old, want []pair) error {
	for _, p := range want {
		if slices.Contains(old, p) {
			continue
		}
		k, v := key(mapping, p.key), value(mapping, p.key)
		if k == nil {
			at := end(mapping)
			l.replace(at, at, strings.Repeat(" ", mapping.Column-1)+p.key+": "+p.text)
			continue
		}
		line := l.old[k.Line-1][:k.Column-1] + p.key + ": " + p.text
		for _, comment := range []string{k.LineComment, v.LineComment} {
			if comment != "" {
				line += " " + comment
			}
		}
		l.replace(k.Line-1, end(v), line)
	}
	for _, p := range old {
		if slices.ContainsFunc(want, func(w pair) bool { return w.key == p.key }) {
			continue
		}
		k := key(mapping, p.key)
		if k == nil { // written as its default
			continue
		}
		if strings.TrimSpace(l.old[k.Line-1][:k.Column-1]) != "" {
			return errLayout // it stands behind the dash of its entry
		}
		l.replace(k.Line-1, end(value(mapping, p.key)))
	}
	return nil
}

// removeEntry takes out one entry with the comment lines right above it; those above the first
// may speak of the whole list and stay.
func (l *lines) removeEntry(list *yaml.Node, i int) {
	from, to := l.dash(list, i), end(list.Content[i])
	if i > 0 {
		above := end(list.Content[i-1])
		for from > above && strings.HasPrefix(strings.TrimSpace(l.old[from-1]), "#") {
			from--
		}
		for from > above && blank(l.old[from-1]) {
			from--
		}
	}
	l.replace(from, to)
}

// append adds entries behind the last one, set apart by a blank line if the last two are.
func (l *lines) append(list *yaml.Node, added []Source) {
	at := end(list)
	n := len(list.Content)
	apart := n > 1 && slices.ContainsFunc(l.old[end(list.Content[n-2]):l.dash(list, n-1)], blank)
	for _, s := range added {
		text := entries([]Source{s}, strings.Repeat(" ", list.Column-1))
		if apart {
			text = append([]string{""}, text...)
		}
		l.replace(at, at, text...)
	}
}

// dash is the line (0 and up) on which entry i begins.
func (l *lines) dash(list *yaml.Node, i int) int {
	for at := list.Content[i].Line - 1; at >= list.Line-1; at-- {
		if strings.HasPrefix(strings.TrimLeft(l.old[at], " "), "-") {
			return at
		}
	}
	return list.Content[i].Line - 1
}

func blank(line string) bool { return strings.TrimSpace(line) == "" }

// entries are the lines of new entries.
func entries(sources []Source, indent string) []string {
	var out []string
	for _, s := range sources {
		lead := indent + "- "
		for _, p := range s.pairs() {
			out = append(out, lead+p.key+": "+p.text)
			lead = indent + "  "
		}
	}
	return out
}

// end is the number of lines up to and including the last one that n reaches. Values that go
// over several lines by themselves reach further; the edit is then found to be wrong when it is
// read again.
func end(n *yaml.Node) int {
	last := n.Line
	for _, child := range n.Content {
		last = max(last, end(child))
	}
	return last
}

// key is the node of a key in a mapping, nil when it is absent.
func key(mapping *yaml.Node, name string) *yaml.Node {
	k, _ := lookUp(mapping, name)
	return k
}

// value is the node of the value of a key, nil when it is absent.
func value(mapping *yaml.Node, name string) *yaml.Node {
	_, v := lookUp(mapping, name)
	return v
}

func lookUp(mapping *yaml.Node, name string) (k, v *yaml.Node) {
	if mapping == nil {
		return nil, nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	return nil, nil
}
