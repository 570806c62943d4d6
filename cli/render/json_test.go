package render

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/distributed-trust/distrust/records/trust"
)

// published is the schema as other programs use it.
func published(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(CheckSchema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("check.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("check.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func object(t *testing.T, r Report) (line string, value any) {
	t.Helper()
	line = text(t, func(b *strings.Builder) error { return WriteJSON(b, r) })
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
	if err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return line, value
}

func TestJSONKeepsItsSchema(t *testing.T) {
	t.Parallel()
	s := published(t)
	full := requests()
	full.Decision.Own = &trust.Voice{Own: true, Level: trust.LevelFile, Statement: full.Decision.Voices[1].Statement}
	full.Decision.Findings = []trust.Finding{{Kind: trust.FindingOtherBytes, Source: "alice", Statement: full.Decision.Voices[1].Statement}}
	full.Query.Signatures = []trust.Signature{{Format: "ssh", State: trust.SignatureWrongPurpose}}
	full.Decision.Stale = []trust.Source{{Name: "frank"}}
	full.Hints = []Hint{{Text: "look"}}
	empty := Report{
		Path: "-", Exit: 3,
		Decision: trust.Decision{Verdict: trust.Unknown, By: trust.ByNone, Policy: trust.DefaultPolicy()},
		Query:    trust.Query{Size: -1},
	}
	for name, r := range map[string]Report{"requests": requests(), "full": full, "empty": empty} {
		line, value := object(t, r)
		if strings.Count(line, "\n") != 1 {
			t.Errorf("%s is not one line: %q", name, line)
		}
		if err := s.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Every field that is printed is in the schema.
	known := map[string]any{}
	if err := json.Unmarshal(CheckSchema(), &known); err != nil {
		t.Fatal(err)
	}
	_, value := object(t, full)
	sameKeys(t, "object", value, known)
	defs := known["$defs"].(map[string]any)
	for list, def := range map[string]string{"voices": "voice", "signatures": "signature", "findings": "finding", "hints": "hint"} {
		sameKeys(t, def, value.(map[string]any)[list].([]any)[0], defs[def].(map[string]any))
	}
	golden(t, "why.json", func() string { line, _ := object(t, requests()); return line }())
}

// sameKeys holds that an object has exactly the properties of its schema, and that all of them
// are required there.
func sameKeys(t *testing.T, name string, value any, schema map[string]any) {
	t.Helper()
	object, properties := value.(map[string]any), schema["properties"].(map[string]any)
	required := map[string]bool{}
	for _, key := range schema["required"].([]any) {
		required[key.(string)] = true
	}
	for key := range object {
		if properties[key] == nil || !required[key] {
			t.Errorf("%s.%s is not in the schema, or not required", name, key)
		}
	}
	for key := range properties {
		if _, ok := object[key]; !ok {
			t.Errorf("%s.%s is in the schema only", name, key)
		}
	}
}

// TestSchemaRefuses shows that the schema can fail.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	s := published(t)
	for name, change := range map[string]func(map[string]any){
		"verdict":       func(o map[string]any) { o["verdict"] = "fine" },
		"missing field": func(o map[string]any) { delete(o, "exit") },
		"digest":        func(o map[string]any) { o["digests"] = map[string]any{"sha256": "9F"} },
		"voice":         func(o map[string]any) { o["voices"].([]any)[0].(map[string]any)["amount"] = "50" },
		"not counted":   func(o map[string]any) { o["voices"].([]any)[0].(map[string]any)["not_counted"] = "bored" },
	} {
		_, value := object(t, requests())
		change(value.(map[string]any))
		if s.Validate(value) == nil {
			t.Errorf("%s: the schema accepts it", name)
		}
	}
}
