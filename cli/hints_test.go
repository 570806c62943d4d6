package cli

import (
	"errors"
	"fmt"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/records/source"
	"github.com/distributed-trust/distrust/sshsig"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

// withoutRow are exported errors that never reach the user as they are, and why.
var withoutRow = map[string]string{
	"journal.ErrNoSubject": "an entry is only made of something that was hashed",
	"records.ErrUnfit":     "ends a search inside of records.Published",
}

// sameAs are exported errors whose row is that of another.
var sameAs = map[string][2]error{
	"home.ErrAuth":           {home.ErrAuth, source.ErrAuth},
	"home.ErrEmptyRemote":    {home.ErrEmptyRemote, source.ErrEmpty},
	"home.ErrUnreachable":    {home.ErrUnreachable, source.ErrUnreachable},
	"signer.NoKeyError":      {&signer.NoKeyError{}, signer.ErrNoKey},
	"sshsig.ErrCertificate":  {sshsig.ErrCertificate, sshsig.ErrKeyType},
	"sshsig.NamespaceError":  {&sshsig.NamespaceError{}, sshsig.ErrNamespace},
	"sshsig.NotAllowedError": {&sshsig.NotAllowedError{}, sshsig.ErrNotAllowed},
	"terminal.CannotAsk":     {&terminal.CannotAsk{}, terminal.ErrCannotAsk},
}

// packages whose errors can reach the user, by the name that cli uses.
var packages = map[string]string{
	"schema": "../schema", "sshsig": "../sshsig", "signer": "../sshsig/signer", "records": "../records",
	"home": "../records/home", "source": "../records/source", "index": "../records/index",
	"journal": "../records/journal", "subject": "../records/subject", "trust": "../records/trust",
	"config": "config", "terminal": "terminal", "signature": "../records/signature", "download": "../records/download",
}

// parseFolder parses the Go files of a folder that keep says yes to.
func parseFolder(t *testing.T, folder string, keep func(name string) bool) []*ast.File {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || !keep(name) {
			continue
		}
		file, err := goparser.ParseFile(token.NewFileSet(), filepath.Join(folder, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		t.Fatalf("no files in %s", folder)
	}
	return files
}

// exportedErrors are the sentinels and the types of errors that a package exports.
func exportedErrors(t *testing.T, folder string) []string {
	t.Helper()
	found := map[string]bool{}
	for _, file := range parseFolder(t, folder, func(string) bool { return true }) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GenDecl:
				for _, spec := range n.Specs {
					if value, ok := spec.(*ast.ValueSpec); ok && n.Tok == token.VAR {
						for _, name := range value.Names {
							if strings.HasPrefix(name.Name, "Err") {
								found[name.Name] = true
							}
						}
					}
				}
			case *ast.FuncDecl:
				if n.Name.Name == "Error" && n.Recv != nil {
					receiver := n.Recv.List[0].Type
					if star, ok := receiver.(*ast.StarExpr); ok {
						receiver = star.X
					}
					if name := receiver.(*ast.Ident).Name; ast.IsExported(name) {
						found[name] = true
					}
				}
				return false
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(found))
}

// TestEveryErrorHasAHint demands a row of the table for every error that a package of ours
// exports.
func TestEveryErrorHasAHint(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	for _, file := range parseFolder(t, ".", func(name string) bool { return strings.HasPrefix(name, "hints") }) {
		ast.Inspect(file, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := selector.X.(*ast.Ident); ok {
					rows[pkg.Name+"."+selector.Sel.Name] = true
				}
			}
			return true
		})
	}
	all := 0
	for _, pkg := range slices.Sorted(maps.Keys(packages)) {
		for _, name := range exportedErrors(t, packages[pkg]) {
			all++
			full := pkg + "." + name
			if same, ok := sameAs[full]; ok {
				if !errors.Is(same[0], same[1]) {
					t.Errorf("%s is not %v, whose row it should have", full, same[1])
				}
				if rows[full] {
					t.Errorf("%s has a row of its own, which hides or is hidden by that of %v", full, same[1])
				}
				continue
			}
			if why, exempt := withoutRow[full]; exempt {
				if rows[full] {
					t.Errorf("%s has a row and is listed as one without (%s)", full, why)
				}
			} else if !rows[full] {
				t.Errorf("%s has no row in the table of hints", full)
			}
		}
	}
	if all < 10 {
		t.Errorf("only %d errors were found: the test looks in the wrong place", all)
	}
}

// TestEveryRowHelps demands that no row is empty.
func TestEveryRowHelps(t *testing.T) {
	t.Parallel()
	for i, row := range hintTable() {
		for _, err := range samples() {
			if found, ok := row.advice(err); ok && found.hint.Line() == "" {
				t.Errorf("row %d says nothing about %v", i, err)
			}
		}
	}
}

// samples are errors of this program's own packages.
func samples() []error {
	return []error{
		config.ErrNoUserHome, &config.DirError{Variable: "DISTRUST_DATA_DIR"}, &config.FileError{}, &config.PermissionError{Path: "/x"},
		&config.PermissionError{Path: "/x", Foreign: true}, &config.LockedError{}, &terminal.CannotAsk{}, fs.ErrNotExist, fs.ErrPermission,
	}
}

func TestAdvise(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		exit Exit
		hint string
	}{
		{fmt.Errorf("reading: %w", config.ErrNoUserHome), NotSetUp, "set HOME, or DISTRUST_CONFIG_DIR, _DATA_DIR, _STATE_DIR and _CACHE_DIR"},
		{fmt.Errorf("x: %w", &config.PermissionError{Path: "/a b"}), Failed, "look at it, then keep it to yourself: chmod go-w '/a b'"},
		{&config.PermissionError{Path: "/a\x1b"}, Failed, "look at it, then keep it to yourself"},
		{&fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}, Failed, "check the path: it is read from the current folder"},
		{usagef("no"), Usage, ""},
		{BadValue("for", fs.ErrNotExist), Usage, ""},
		{needsHelp("key add", "x"), Usage, "distrust key add --help"},
		{fail(Refused, fs.ErrNotExist, "ask her"), Refused, "ask her"},
		{&Problem{Exit: Refused, Err: fs.ErrNotExist}, Refused, "check the path: it is read from the current folder"},
		{errors.New("whatever"), Failed, ""},
	} {
		exit, hint := advise(tt.err)
		if exit != tt.exit || hint.Line() != tt.hint {
			t.Errorf("%v: %d, %q; want %d, %q", tt.err, exit, hint.Line(), tt.exit, tt.hint)
		}
	}
}
