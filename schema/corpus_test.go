package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// document is one file of a corpus: its name says what it should be ("head-…", "record-…"; no
// other matters), and the comment "# breaks: RULE WHY" in it what is wrong with it.
type document struct {
	name string
	text []byte
	rule Rule
	why  string
}

// corpus reads testdata/dir. No file at all is a failure: a folder that moved away must not
// make a test pass.
func corpus(t testing.TB, dir string) []document {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", filepath.FromSlash(dir), "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents in testdata/%s (%v)", dir, err)
	}
	docs := make([]document, 0, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc := document{name: filepath.Base(file), text: text}
		if _, mark, ok := bytes.Cut(text, []byte("# breaks: ")); ok {
			mark, _, _ = bytes.Cut(mark, []byte("\n"))
			rule, why, _ := strings.Cut(string(mark), " ")
			doc.rule, doc.why = Rule(rule), why
		}
		docs = append(docs, doc)
	}
	return docs
}

// kind is "head" or "record".
func (d document) kind() string {
	if strings.HasPrefix(d.name, "head-") {
		return "head"
	}
	return "record"
}

// parse gives the document to the parser that it is meant for.
func (d document) parse() (any, error) {
	if d.kind() == "head" {
		return ParseHead(d.name, d.text)
	}
	return ParseRecord(d.name, d.text)
}

// marshal writes what parse gave.
func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := v.(interface{ Marshal() ([]byte, error) }).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"corpus/good", "corpus/bad", "corpus/beyond", "f1bad"} {
		for _, doc := range corpus(t, dir) {
			t.Run(dir+"/"+doc.name, func(t *testing.T) {
				t.Parallel()
				_, err := doc.parse()
				if dir == "corpus/good" {
					if err != nil {
						t.Fatalf("refused: %v", err)
					}
					return
				}
				checkRefusal(t, doc, err)
				if dir != "f1bad" && !errors.Is(err, ErrNotUnderstood) {
					return
				}
				if dir == "f1bad" && !strings.Contains(err.Error(), doc.why) {
					t.Errorf("refused for another reason than %q: %v", doc.why, err)
				}
			})
		}
	}
}

// checkRefusal holds an error against the mark of the document.
func checkRefusal(t *testing.T, doc document, err error) {
	t.Helper()
	var refused *Error
	if !errors.As(err, &refused) {
		t.Fatalf("error %v (%T), want *Error: %s %s", err, err, doc.rule, doc.why)
	}
	if refused.Rule != doc.rule {
		t.Errorf("%v, want %s %s", err, doc.rule, doc.why)
	}
	if want := strings.HasPrefix(doc.why, "not understood"); errors.Is(err, ErrNotUnderstood) != want {
		t.Errorf("not understood is %v, want %v: %v", !want, want, err)
	}
	if refused.File != doc.name || strings.ContainsAny(err.Error(), "\n\x1b") || ValidText(err.Error()) != nil {
		t.Errorf("the message %q is not a line about %s", err.Error(), doc.name)
	}
}

// TestJSONSchemas holds the published schemas against the same corpus: they accept and refuse
// what the Go code does.
func TestJSONSchemas(t *testing.T) {
	t.Parallel()
	schemas := map[string]*jsonschema.Schema{"record": compileSchema(t, "record"), "head": compileSchema(t, "head")}
	for dir, accept := range map[string]bool{"corpus/good": true, "corpus/bad": false, "corpus/beyond": true} {
		for _, doc := range corpus(t, dir) {
			root, refused := parseNodes(doc.name, doc.text, MaxRecordBytes)
			if refused != nil {
				t.Fatalf("%s does not pass F1, so it says nothing about the schema: %v", doc.name, refused)
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(toJSON(t, root)))
			if err != nil {
				t.Fatal(err)
			}
			if err := schemas[doc.kind()].Validate(value); (err == nil) != accept {
				t.Errorf("%s/%s (%s): accepted is %v, want %v: %v", dir, doc.name, doc.why, err == nil, accept, err)
			}
		}
	}
}

func compileSchema(t *testing.T, kind string) *jsonschema.Schema {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSONSchema(kind)))
	if err != nil {
		t.Fatal(err)
	}
	id := value.(map[string]any)["$id"].(string)
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(id, value); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// toJSON writes nodes as the JSON that a YAML reader would make of them; a time is a string.
func toJSON(t *testing.T, n *yaml.Node) []byte {
	t.Helper()
	var out bytes.Buffer
	switch n.Kind {
	case yaml.MappingNode:
		out.WriteByte('{')
		for i := 0; i < len(n.Content); i += 2 {
			if i > 0 {
				out.WriteByte(',')
			}
			out.Write(jsonString(t, n.Content[i].Value))
			out.WriteByte(':')
			out.Write(toJSON(t, n.Content[i+1]))
		}
		out.WriteByte('}')
	case yaml.SequenceNode:
		out.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			out.Write(toJSON(t, item))
		}
		out.WriteByte(']')
	default:
		switch n.Tag {
		case "!!int", "!!float", "!!bool":
			out.WriteString(n.Value)
		default:
			out.Write(jsonString(t, n.Value))
		}
	}
	return out.Bytes()
}

func jsonString(t *testing.T, s string) []byte {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestJSONSchemaNames(t *testing.T) {
	t.Parallel()
	if JSONSchema("no-such-document") != nil || JSONSchema("../record") != nil {
		t.Error("a schema that is not there is given")
	}
}
