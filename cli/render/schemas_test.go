package render

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSchemas compiles every published schema where it says that it is, and holds each to refusing
// what is no object of ours. The scripts of package cli hold the program's output to them.
func TestSchemas(t *testing.T) {
	t.Parallel()
	const published = "https://github.com/distributed-trust/distrust/"
	compiler := jsonschema.NewCompiler()
	for name, b := range Schemas() {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := compiler.AddResource(published+name+".schema.json", doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if id := doc.(map[string]any)["$id"]; id != published+name+".schema.json" {
			t.Errorf("%s says that it is at %v", name, id)
		}
	}
	for name := range Schemas() {
		schema, err := compiler.Compile(published + name + ".schema.json")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, bad := range []string{`{}`, `[]`, `null`, `{"format":2}`} {
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
			if err != nil {
				t.Fatal(err)
			}
			if schema.Validate(value) == nil {
				t.Errorf("%s takes %s", name, bad)
			}
		}
	}
	if n := len(Schemas()); n != 10 {
		t.Errorf("%d schemas", n)
	}
}
