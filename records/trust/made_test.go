package trust

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const importPath = "github.com/distributed-trust/distrust/records/trust"

// TestStatementsAreMadeFromRecords reads the module's sources: outside tests only this package and
// records/index may make a Statement, so that nothing unverified reaches Decide (A2).
func TestStatementsAreMadeFromRecords(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	read := 0
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		switch rel = filepath.ToSlash(rel); {
		case entry.IsDir() && (rel == "records/trust" || rel == "records/index" || entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && rel != "."):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(rel) != ".go" || strings.HasSuffix(rel, "_test.go"):
			return nil
		}
		read++
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, at := range statementsMade(parsed) {
			t.Errorf("%s:%d makes a trust.Statement: take it from FromRecord", rel, files.Position(at).Line)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read == 0 {
		t.Fatal("no sources were read")
	}
}

// statementsMade finds where a file makes a Statement: literals, also as elements, new, and
// variables that start empty and are filled field by field.
func statementsMade(file *ast.File) []token.Pos {
	local := ""
	for _, spec := range file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil && p == importPath {
			local = "trust"
			if spec.Name != nil {
				local = spec.Name.Name
			}
		}
	}
	if local == "" {
		return nil
	}
	isStatement := func(e ast.Expr) bool {
		switch x := e.(type) {
		case *ast.SelectorExpr:
			name, ok := x.X.(*ast.Ident)
			return ok && name.Name == local && x.Sel.Name == "Statement"
		case *ast.Ident:
			return local == "." && x.Name == "Statement"
		}
		return false
	}
	var made []token.Pos
	empty := map[string]bool{} // variables that start as an empty Statement
	ast.Inspect(file, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.CompositeLit:
			of := x.Type
			switch list := of.(type) {
			case *ast.ArrayType:
				of = list.Elt
			case *ast.MapType:
				of = list.Value
			}
			if isStatement(of) && (of == x.Type || len(x.Elts) > 0 && elided(x.Elts)) {
				made = append(made, x.Pos())
			}
		case *ast.CallExpr:
			if f, ok := x.Fun.(*ast.Ident); ok && f.Name == "new" && len(x.Args) == 1 && isStatement(x.Args[0]) {
				made = append(made, x.Pos())
			}
		case *ast.ValueSpec:
			for _, name := range x.Names {
				empty[name.Name] = empty[name.Name] || isStatement(x.Type) && len(x.Values) == 0
			}
		case *ast.AssignStmt:
			for _, left := range x.Lhs {
				if field, ok := left.(*ast.SelectorExpr); ok {
					if name, ok := field.X.(*ast.Ident); ok && empty[name.Name] {
						made = append(made, x.Pos())
					}
				}
			}
		}
		return true
	})
	return made
}

// elided says whether one of the elements of a list is a literal without a type of its own.
func elided(elements []ast.Expr) bool {
	for _, e := range elements {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			e = pair.Value
		}
		if literal, ok := e.(*ast.CompositeLit); ok && literal.Type == nil {
			return true
		}
	}
	return false
}

// TestStatementsMadeIsFound shows the search every way of making one.
func TestStatementsMadeIsFound(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]int{
		`import "` + importPath + `"; var x = trust.Statement{}`:                                  1,
		`import t "` + importPath + `"; var x = &t.Statement{ID: "x"}`:                            1,
		`import . "` + importPath + `"; var x = Statement{}`:                                      1,
		`import "` + importPath + `"; var x = []trust.Statement{{}}`:                              1,
		`import "` + importPath + `"; var x = map[string]trust.Statement{"a": {}}`:                1,
		`import "` + importPath + `"; var x = new(trust.Statement)`:                               1,
		`import "` + importPath + `"; func f() { var x trust.Statement; x.ID = "a" }`:             1,
		`import "` + importPath + `"; func f(s trust.Statement) { var x trust.Statement; x = s }`: 0,
		`import "` + importPath + `"; var x = []trust.Statement{}; var y []trust.Statement`:       0,
		`import "` + importPath + `"; func f(s trust.Statement) []trust.Statement { return nil }`: 0,
		`import "example.org/trust"; var x = trust.Statement{}`:                                   0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x; "+source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(statementsMade(file)); got != want {
			t.Errorf("%s: found %d, want %d", source, got, want)
		}
	}
}
