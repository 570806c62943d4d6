package lockfile

import (
	"bytes"
	"errors"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// entry is one [[package]] of a lock file in TOML: the strings in it and in tables of its own by their path
// ("source.git"), and its arrays of tables ("wheels"). What nobody asks for is not kept.
type entry struct {
	line   int
	texts  map[string]string
	tables map[string][]row
}

// row is one table of an array.
type row struct {
	line  int
	texts map[string]string
}

// packages reads a lock file that consists of [[package]]. It goes through the text expression by expression: a
// tree of all of it would take a hundred times its size where somebody wants that. wanted are the paths that are kept.
// other is told every string and number outside packages, by its path, and says whether it took it.
type packages struct {
	c      *collector
	wanted map[string]bool
	other  func(path, value string) (took bool, err error)
	each   func(e *entry) error

	parser  unstable.Parser
	current *entry
	table   string          // path within the package, or outside
	outside map[string]bool // paths that other took
	upto    int             // how far lines are counted
	line    int
}

// maxLine is how long a line in TOML may be. Each part of a dotted key takes a hundred bytes, and nobody writes
// arrays of a million elements on one line.
const maxLine = 64 << 10

// errTwice would let one reader see the first and another the last.
var errTwice = errors.New("is there twice")

func (p *packages) read(b []byte) error {
	if len(b) > MaxTOML {
		return p.c.refuse(0, "more than %d MiB", MaxTOML>>20)
	}
	number := 0
	for line := range bytes.Lines(b) {
		if number++; len(line) > maxLine {
			return p.c.refuse(number, "a line of more than %d KiB", maxLine>>10)
		}
	}
	p.outside, p.line = map[string]bool{}, 1
	p.parser.Reset(b)
	for p.parser.NextExpression() {
		if err := p.expression(p.parser.Expression()); err != nil {
			return err
		}
	}
	if err := p.parser.Error(); err != nil {
		return p.c.refuse(p.lineOf(err), "%v", err)
	}
	return p.end()
}

// lineOf is where the parser gave up.
func (p *packages) lineOf(err error) int {
	var known *toml.DecodeError
	var raw *unstable.ParserError
	switch {
	case errors.As(err, &known):
		line, _ := known.Position()
		return line
	case errors.As(err, &raw) && len(raw.Highlight) > 0:
		return p.parser.Shape(p.parser.Range(raw.Highlight)).Start.Line
	}
	return 0
}

// end hands the current package on.
func (p *packages) end() error {
	if p.current == nil {
		return nil
	}
	e := p.current
	p.current = nil
	return p.each(e)
}

func (p *packages) expression(n *unstable.Node) error {
	if n.Kind == unstable.Comment {
		return nil
	}
	key, raw := keyOf(n)
	line := p.at(raw)
	switch {
	case n.Kind == unstable.ArrayTable && key == "package":
		if err := p.end(); err != nil {
			return err
		}
		p.current, p.table = &entry{line: line, texts: map[string]string{}, tables: map[string][]row{}}, ""
		return nil
	case n.Kind == unstable.KeyValue:
		if err := p.value(join(p.table, key), n.Value(), line); err != nil {
			return err
		}
		return nil
	}
	inside, within := strings.CutPrefix(key, "package.")
	switch {
	case key == "package" || within && (p.current == nil || n.Kind == unstable.ArrayTable && p.touches(inside)):
		return p.c.refuse(line, "packages in a form that no program writes")
	case within:
		p.table = inside
		return nil
	}
	err := p.end()
	p.table = key
	return err
}

// touches says whether something that is wanted lies at a path, below or above it.
func (p *packages) touches(path string) bool {
	for w := range p.wanted {
		if w == path || strings.HasPrefix(w, path+".") || strings.HasPrefix(path, w+".") {
			return true
		}
	}
	return false
}

// value keeps what is wanted of a value, and of the tables in it.
func (p *packages) value(path string, v *unstable.Node, line int) error {
	if p.current == nil && (path == "package" || strings.HasPrefix(path, "package.")) {
		return p.c.refuse(line, "packages in a form that no program writes")
	}
	switch v.Kind {
	case unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			key, raw := keyOf(it.Node())
			if err := p.value(join(path, key), it.Node().Value(), p.at(raw)); err != nil {
				return err
			}
		}
		return nil
	case unstable.Array:
		if p.current != nil && p.wanted[path] {
			return p.rows(path, v, line)
		}
		return nil
	case unstable.String, unstable.Integer:
	default:
		return nil
	}
	if p.current == nil {
		took, err := p.other(path, string(v.Data))
		if took && p.outside[path] {
			return p.c.refuse(line, "%.100q %v", path, errTwice)
		}
		if took {
			p.outside[path] = true
		}
		return err
	}
	if !p.wanted[path] {
		return nil
	}
	if _, twice := p.current.texts[path]; twice {
		return p.c.refuse(line, "%.100q %v", path, errTwice)
	}
	p.current.texts[path] = string(v.Data)
	return nil
}

// rows keeps an array of tables.
func (p *packages) rows(path string, v *unstable.Node, line int) error {
	if _, twice := p.current.tables[path]; twice {
		return p.c.refuse(line, "%.100q %v", path, errTwice)
	}
	rows := []row{}
	for it := v.Children(); it.Next(); {
		if it.Node().Kind == unstable.Comment {
			continue
		}
		r := row{line: line}
		var err error
		if r.texts, r.line, err = p.inline(it.Node(), line); err != nil {
			return err
		}
		rows = append(rows, r)
	}
	p.current.tables[path] = rows
	return nil
}

// inline reads the strings of an inline table.
func (p *packages) inline(n *unstable.Node, line int) (map[string]string, int, error) {
	if n.Kind != unstable.InlineTable {
		return nil, line, p.c.refuse(line, "a table is expected")
	}
	texts := map[string]string{}
	for it := n.Children(); it.Next(); {
		pair := it.Node()
		if pair.Kind != unstable.KeyValue {
			continue
		}
		key, raw := keyOf(pair)
		if len(texts) == 0 {
			line = p.at(raw)
		}
		if pair.Value().Kind != unstable.String {
			continue
		}
		if _, twice := texts[key]; twice {
			return nil, line, p.c.refuse(line, "%.100q %v", key, errTwice)
		}
		texts[key] = string(pair.Value().Data)
	}
	return texts, line, nil
}

// at is the line of a place in the text, which is at or after the last one.
func (p *packages) at(raw unstable.Range) int {
	if at := int(raw.Offset); at > p.upto {
		p.line += bytes.Count(p.parser.Data()[p.upto:at], []byte("\n"))
		p.upto = at
	}
	return p.line
}

// keyOf is a dotted key as one string, in which a dot within a part is NUL, and where it begins.
func keyOf(n *unstable.Node) (string, unstable.Range) {
	var raw unstable.Range
	var parts []string
	for it := n.Key(); it.Next(); {
		if len(parts) == 0 {
			raw = it.Node().Raw
		}
		parts = append(parts, strings.ReplaceAll(string(it.Node().Data), ".", "\x00"))
	}
	return strings.Join(parts, "."), raw
}

func join(table, key string) string {
	if table == "" {
		return key
	}
	return table + "." + key
}
