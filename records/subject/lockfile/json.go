package lockfile

import (
	"bytes"
	"encoding/json"
	"errors"
)

// cursor walks over a JSON text that encoding/json found valid. Unlike that package's decoder it tells a key that is
// there twice, and keys that differ in case only.
type cursor struct {
	c    *collector
	b    []byte
	at   int
	line int // of counted
	upto int // how far lines are counted
}

// walkJSON begins to read a text, which encoding/json checks first, depth included.
func walkJSON(c *collector, b []byte) (*cursor, error) {
	if !json.Valid(b) {
		var syntax *json.SyntaxError
		var any json.RawMessage
		if err := json.Unmarshal(b, &any); errors.As(err, &syntax) {
			return nil, c.refuse(1+bytes.Count(b[:min(len(b), int(syntax.Offset))], []byte("\n")), "%v", err)
		}
		return nil, c.refuse(0, "not JSON")
	}
	return &cursor{c: c, b: b, line: 1}, nil
}

// next is the first byte of what comes next.
func (r *cursor) next() byte {
	for {
		switch r.b[r.at] {
		case ' ', '\t', '\r', '\n', ',', ':':
			r.at++
		default:
			return r.b[r.at]
		}
	}
}

// here is the line of what comes next.
func (r *cursor) here() int {
	r.line += bytes.Count(r.b[r.upto:r.at], []byte("\n"))
	r.upto = r.at
	return r.line
}

// object calls do for each member of the object that comes next; do reads or skips the value.
func (r *cursor) object(do func(key string) error) error {
	if r.next() != '{' {
		return r.c.refuse(r.here(), "an object is expected")
	}
	const few = 16
	var keys []string
	var many map[string]bool
	for r.at++; r.next() != '}'; {
		key, err := r.text()
		if err != nil {
			return err
		}
		twice := many[key]
		for i := 0; many == nil && i < len(keys); i++ {
			twice = twice || keys[i] == key
		}
		if twice {
			return r.c.refuse(r.here(), "the key %.100q is there twice", key)
		}
		switch keys = append(keys, key); {
		case many != nil:
			many[key] = true
		case len(keys) > few:
			many = make(map[string]bool, 2*few)
			for _, k := range keys {
				many[k] = true
			}
		}
		if err := do(key); err != nil {
			return err
		}
	}
	r.at++
	return nil
}

// text reads the string that comes next.
func (r *cursor) text() (string, error) {
	if r.next() != '"' {
		return "", r.c.refuse(r.here(), "a string is expected")
	}
	from := r.at
	escaped := r.pass()
	if !escaped {
		return string(r.b[from+1 : r.at-1]), nil
	}
	var s string
	if err := json.Unmarshal(r.b[from:r.at], &s); err != nil {
		return "", r.c.refuse(r.here(), "%v", err)
	}
	return s, nil
}

// pass moves behind the string that comes next, and says whether something in it is escaped.
func (r *cursor) pass() (escaped bool) {
	for r.at++; r.b[r.at] != '"'; r.at++ {
		if r.b[r.at] == '\\' {
			escaped = true
			r.at++
		}
	}
	r.at++
	return escaped
}

// truth reads the true or false that comes next.
func (r *cursor) truth() (bool, error) {
	first := r.next()
	if first != 't' && first != 'f' {
		return false, r.c.refuse(r.here(), "true or false is expected")
	}
	r.skip()
	return first == 't', nil
}

// skip moves behind the value that comes next and gives its text.
func (r *cursor) skip() []byte {
	depth := 0
	r.next()
	from := r.at
	for {
		switch r.next() {
		case '"':
			r.pass()
		case '{', '[':
			depth++
			r.at++
		case '}', ']':
			depth--
			r.at++
		default: // a number, true, false or null
			for r.at < len(r.b) && bytes.IndexByte([]byte(" \t\r\n,:}]"), r.b[r.at]) < 0 {
				r.at++
			}
		}
		if depth == 0 {
			return r.b[from:r.at]
		}
	}
}
