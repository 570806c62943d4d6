package schema

import "embed"

//go:embed *.schema.json
var jsonSchemas embed.FS

// JSONSchema gives the JSON Schema (draft 2020-12) of a document: "record" or "head". They say
// about a document that passes F1 what this package says, as far as a schema can; nil when there
// is none of that name.
func JSONSchema(kind string) []byte {
	b, err := jsonSchemas.ReadFile(kind + ".schema.json")
	if err != nil {
		return nil
	}
	return b
}
