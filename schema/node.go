package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// parseNodes reads the one document in b as far as F1 goes without knowing its fields: bytes
// first, then YAML nodes, then an allow-list of what nodes and the text around them may be.
func parseNodes(file string, b []byte, limit int) (*yaml.Node, *Error) {
	refuse := func(line int, err error) (*yaml.Node, *Error) {
		return nil, &Error{File: file, Line: line, Rule: F1, Reason: err.Error()}
	}
	if line, err := checkBytes(b, limit); err != nil {
		return refuse(line, err)
	}
	root, line, err := decodeOne(b)
	if err != nil {
		return refuse(line, err)
	}
	w := walker{src: b, line: 1, column: 1}
	if err := w.node(root, "", 1); err != nil {
		return refuse(w.line, err)
	}
	if err := w.gap(len(b)); err != nil {
		return refuse(w.line, err)
	}
	if root.Kind != yaml.MappingNode {
		return refuse(root.Line, errors.New("the document is not a mapping"))
	}
	return root, nil
}

// decodeOne gives the root node of the only document in b. A panic of the YAML library is a
// refusal: the bytes are a stranger's, and one of them must not stop the rest of the set.
func decodeOne(b []byte) (root *yaml.Node, line int, err error) {
	defer func() {
		if v := recover(); v != nil {
			root, line, err = nil, 0, errors.New("not YAML: the parser gave up")
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(b))
	var document, more yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, 0, errors.New("the file holds no document")
		}
		line, reason := yamlError(err)
		return nil, line, errors.New(reason)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, more.Line, errors.New("something follows the document")
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return nil, 0, errors.New("the file holds no document")
	}
	return document.Content[0], 0, nil
}

// yamlError takes the line out of the YAML library's message.
func yamlError(err error) (line int, reason string) {
	reason = strings.TrimPrefix(err.Error(), "yaml: ")
	if at, after, ok := strings.Cut(reason, ": "); ok {
		if number, isLine := strings.CutPrefix(at, "line "); isLine {
			line, _ = strconv.Atoi(number)
			reason = after
		}
	}
	const most = 120
	if len(reason) > most {
		reason = strings.ToValidUTF8(reason[:most], "") + "..."
	}
	return line, "not YAML: " + reason
}

// A walker goes over the nodes in the order of the text and follows in the source where each
// scalar lies. The nodes alone do not show `? ` keys, the bare tag `!`, or a scalar that runs
// over several lines; the source does: between two scalars there may be nothing but space,
// comments and the signs of collections, and each scalar must stand on one line as it is.
type walker struct {
	src    []byte
	offset int // up to here the source is accounted for
	line   int // of offset, from 1
	column int // of offset, from 1, in characters as the YAML library counts
}

// node checks n and everything in it; field is the key that it is the value of, and depth
// counts the collections around and including it.
func (w *walker) node(n *yaml.Node, field string, depth int) error {
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		w.line = n.Line
		return errors.New("anchors and aliases are not allowed")
	}
	if n.Style&yaml.TaggedStyle != 0 {
		w.line = n.Line
		return errors.New("tags are not allowed")
	}
	if n.Kind == yaml.ScalarNode {
		return w.scalar(n, field)
	}
	if depth > MaxDepth {
		w.line = n.Line
		return fmt.Errorf("more than %d collections inside each other", MaxDepth)
	}
	if n.Style&yaml.FlowStyle != 0 {
		if err := w.flowStart(n); err != nil {
			return err
		}
	}
	field = ""
	for i, child := range n.Content {
		var err error
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			field = child.Value
			err = w.key(child)
		} else {
			err = w.node(child, field, depth+1)
		}
		if err != nil {
			return err
		}
	}
	if n.Kind == yaml.MappingNode {
		return w.unique(n)
	}
	return nil
}

// flowStart checks that a flow collection begins with its own bracket: in `[a: b]` the
// library sees a mapping that nothing in the text opens.
func (w *walker) flowStart(n *yaml.Node) error {
	at, err := w.seek(n)
	if err != nil {
		return err
	}
	open := byte('[')
	if n.Kind == yaml.MappingNode {
		open = '{'
	}
	if at >= len(w.src) || w.src[at] != open {
		return fmt.Errorf("a flow collection must begin with %c", open)
	}
	return nil
}

// key checks one key of a mapping: a string on one line.
func (w *walker) key(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || !isString(n) || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		w.line = n.Line
		return errors.New("a key that is no plain or quoted string is not allowed")
	}
	return w.node(n, "", 0)
}

// unique checks that no key of a mapping is there twice.
func (w *walker) unique(n *yaml.Node) error {
	const few = 32
	var names map[string]bool
	if len(n.Content) > 2*few {
		names = make(map[string]bool, len(n.Content)/2)
	}
	for i := 0; i < len(n.Content); i += 2 {
		key, twice := n.Content[i].Value, false
		if names != nil {
			twice = names[key]
			names[key] = true
		}
		for j := 0; names == nil && j < i; j += 2 {
			twice = twice || n.Content[j].Value == key
		}
		if twice {
			w.line = n.Content[i].Line
			return fmt.Errorf("field %s is there twice", quote(key))
		}
	}
	return nil
}

var errEmpty = errors.New("an empty value or null is not allowed")

// certificateField is the one field whose value may run over several lines (F1).
const certificateField = "certificate"

// scalar checks one scalar and moves behind it.
func (w *walker) scalar(n *yaml.Node, field string) error {
	at, err := w.seek(n)
	if err != nil {
		return err
	}
	if n.Tag == "!!null" {
		return errEmpty
	}
	switch n.Style {
	case 0:
		end := at + len(n.Value)
		if end > len(w.src) || string(w.src[at:end]) != n.Value {
			return errors.New("a plain scalar must stand on one line")
		}
		w.advance(end)
		return nil
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		end, ok := quotedEnd(w.src, at)
		if !ok {
			return errors.New("a quoted scalar must stand on one line")
		}
		w.advance(end)
	case yaml.LiteralStyle:
		if field != certificateField {
			return errors.New("a literal scalar (|) is only allowed for " + certificateField)
		}
		return w.literal(n, at)
	default:
		return errors.New("folded scalars (>) are not allowed")
	}
	return validLines(n.Value, field == certificateField)
}

// validLines checks the characters that the escapes of a quoted scalar gave (F1).
func validLines(s string, many bool) error {
	if !many {
		return ValidText(s)
	}
	for line := range strings.SplitSeq(s, "\n") {
		if err := ValidText(line); err != nil {
			return err
		}
	}
	return nil
}

// literal checks a literal block and moves behind its last line: its lines are those of its
// value, whose characters were judged with the bytes.
func (w *walker) literal(n *yaml.Node, at int) error {
	if at >= len(w.src) || w.src[at] != '|' {
		return errors.New("a literal scalar must begin with |")
	}
	w.advance(at + 1)
	end := at + 1 + lineEnd(w.src[at+1:])
	if err := w.gap(end); err != nil {
		return err
	}
	for range strings.Count(n.Value, "\n") {
		if end < len(w.src) {
			end += 1 + lineEnd(w.src[end+1:])
		}
	}
	if !strings.HasSuffix(n.Value, "\n") {
		return errors.New("a literal scalar must end with a line feed")
	}
	w.advance(end)
	return nil
}

// lineEnd is where the first line of b ends: at its line feed or at the end.
func lineEnd(b []byte) int {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i
	}
	return len(b)
}

// quotedEnd gives the offset behind the quoted scalar that begins at `at`, false when it does
// not end on its line.
func quotedEnd(src []byte, at int) (int, bool) {
	if at >= len(src) || src[at] != '"' && src[at] != '\'' {
		return 0, false
	}
	quote := src[at]
	for i := at + 1; i < len(src) && src[i] != '\n'; i++ {
		switch {
		case src[i] == '\\' && quote == '"':
			if i++; i < len(src) && src[i] == '\n' {
				return 0, false
			}
		case src[i] != quote:
		case quote == '\'' && i+1 < len(src) && src[i+1] == '\'':
			i++
		default:
			return i + 1, true
		}
	}
	return 0, false
}

// seek gives the offset at which n begins and checks the text before it.
func (w *walker) seek(n *yaml.Node) (int, error) {
	line, column := w.line, w.column
	at := w.offset
	for ; at < len(w.src) && (line < n.Line || line == n.Line && column < n.Column); at++ {
		switch c := w.src[at]; {
		case c == '\n':
			line, column = line+1, 1
		case c&0xc0 != 0x80: // not the second or later byte of a character
			column++
		}
	}
	for at < len(w.src) && w.src[at]&0xc0 == 0x80 {
		at++
	}
	if err := w.gap(at); err != nil {
		return 0, err
	}
	if w.line != n.Line || w.column != n.Column {
		return 0, errEmpty
	}
	return at, nil
}

// gap checks the text up to end, in which no scalar is, and moves there.
func (w *walker) gap(end int) error {
	for i := w.offset; i < end; i++ {
		switch c := w.src[i]; c {
		case ' ', '\n', ',', ':', '-', '[', ']', '{', '}':
		case '#':
			if i > 0 && w.src[i-1] != ' ' && w.src[i-1] != '\n' {
				w.advance(i)
				return errors.New("a comment must follow a space")
			}
			i += lineEnd(w.src[i:end]) - 1
		default:
			w.advance(i)
			return fmt.Errorf("%s is not allowed here", quote(string(rune(c))))
		}
	}
	w.advance(end)
	return nil
}

// advance moves to an offset and keeps count of line and column.
func (w *walker) advance(to int) {
	for ; w.offset < to; w.offset++ {
		switch c := w.src[w.offset]; {
		case c == '\n':
			w.line, w.column = w.line+1, 1
		case c&0xc0 != 0x80:
			w.column++
		}
	}
}
