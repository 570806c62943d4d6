package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/distributed-trust/distrust/schema"
)

// FileError says what is wrong with a file that a person wrote, and where.
type FileError struct {
	File   string
	Line   int // 1 and up; 0 when it is the file as a whole
	Reason string
}

// Error is "file:line: reason".
func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Reason
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason)
}

// maxFile is more than any of our files needs: who follows 10,000 logs has 2.5 MB of them.
const maxFile = 4 << 20

// reader walks the nodes of one file with an allow-list, as the decoder of the YAML library lets
// typing mistakes pass.
type reader struct {
	file string
}

// field reads the value of one key.
type field func(value *yaml.Node) error

func (r reader) errorf(n *yaml.Node, format string, args ...any) error {
	return &FileError{File: r.file, Line: n.Line, Reason: fmt.Sprintf(format, args...)}
}

// document parses b into its one mapping; nil when there is nothing but comments.
func (r reader) document(b []byte) (*yaml.Node, error) {
	if len(b) > maxFile {
		return nil, &FileError{File: r.file, Reason: fmt.Sprintf("larger than %d bytes", maxFile)}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(b))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, r.syntax(err)
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, r.errorf(&second, "a second document begins here; there can be only one")
	} else if !errors.Is(err, io.EOF) {
		return nil, r.syntax(err)
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" && root.Value == "" {
		return nil, nil
	}
	return root, r.allow(root)
}

// syntax turns an error of the YAML library into ours.
func (r reader) syntax(err error) error {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(message); m != nil {
		line, _ := strconv.Atoi(m[1])
		return &FileError{File: r.file, Line: line, Reason: m[2]}
	}
	return &FileError{File: r.file, Reason: message}
}

// allow refuses what would make two readers see two meanings: anchors, aliases and own tags.
func (r reader) allow(n *yaml.Node) error {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return r.errorf(n, "anchors and aliases (& and *) are not read here")
	case n.Style&yaml.TaggedStyle != 0:
		return r.errorf(n, "tags (%s) are not read here", n.Tag)
	}
	for _, child := range n.Content {
		if err := r.allow(child); err != nil {
			return err
		}
	}
	return nil
}

// mapping reads the keys that fields knows, each at most once.
func (r reader) mapping(n *yaml.Node, what string, fields map[string]field) error {
	if n.Kind != yaml.MappingNode {
		return r.errorf(n, "%s must be a mapping (key: value)", what)
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, known := fields[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !known:
			return r.errorf(key, "%s has no field %q", what, key.Value)
		case seen[key.Value]:
			return r.errorf(key, "field %q is given twice", key.Value)
		}
		seen[key.Value] = true
		if err := read(value); err != nil {
			return err
		}
	}
	return nil
}

// scalar is the text of a plain or quoted value.
func (r reader) scalar(n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "" {
		return "", r.errorf(n, "a value is missing here")
	}
	if err := schema.ValidText(n.Value); err != nil {
		return "", r.errorf(n, "%v", err)
	}
	return n.Value, nil
}

// text reads a string that valid accepts.
func (r reader) text(to *string, valid func(string) error) field {
	return func(n *yaml.Node) error {
		s, err := r.scalar(n)
		if err != nil {
			return err
		}
		if err := valid(s); err != nil {
			return r.errorf(n, "%v", err)
		}
		*to = s
		return nil
	}
}

// texts reads a list of strings that valid accepts.
func (r reader) texts(to *[]string, valid func(string) error) field {
	return func(n *yaml.Node) error {
		if n.Kind != yaml.SequenceNode {
			return r.errorf(n, "a list is needed here, such as [\"pkg:pypi/*\"]")
		}
		for _, item := range n.Content {
			var s string
			if err := r.text(&s, valid)(item); err != nil {
				return err
			}
			*to = append(*to, s)
		}
		return nil
	}
}

// parsed reads a value with one of the parsers of words.go.
func parsed[T any](r reader, to *T, parse func(string) (T, error)) field {
	return func(n *yaml.Node) error {
		s, err := r.scalar(n)
		if err != nil {
			return err
		}
		value, err := parse(s)
		if err != nil {
			return r.errorf(n, "%v", err)
		}
		*to = value
		return nil
	}
}

// number reads a whole number from low to high.
func number[T int | int64](r reader, to *T, low, high T) field {
	return parsed(r, to, func(s string) (T, error) {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < int64(low) || n > int64(high) || strconv.FormatInt(n, 10) != s {
			return 0, fmt.Errorf("%q is not a number from %d to %d", s, low, high)
		}
		return T(n), nil
	})
}

// truth reads true or false, which may be written as on and off.
func (r reader) truth(to *bool) field {
	return parsed(r, to, func(s string) (bool, error) {
		switch s {
		case "true", "on":
			return true, nil
		case "false", "off":
			return false, nil
		}
		return false, fmt.Errorf("%q is neither true nor false", s)
	})
}

// moment reads a date or RFC 3339.
func (r reader) moment(to *time.Time) field { return parsed(r, to, parseMoment) }
