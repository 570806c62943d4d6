package records

import (
	"maps"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/schema"
)

// TestBeside holds the files beside a set to what the head gives: each fault is named alone.
func TestBeside(t *testing.T) {
	t.Parallel()
	head := schema.Head{Log: strings.Repeat("5f", 16), Keys: []schema.Key{
		{Key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f", State: schema.Active},
	}}
	good := map[string][]byte{
		HeadFile: nil, RecordsFolder: nil, Readme: nil, "LICENSE": nil,
		AllowedSigners: AllowedSignersFile(head),
		GitAttributes:  []byte(GitAttributesText),
	}
	if odd := Beside(head, good); len(odd) != 0 {
		t.Errorf("as it should be: %v", odd)
	}
	line := string(good[AllowedSigners])
	for _, tt := range []struct {
		name string
		edit func(top map[string][]byte)
		want string
	}{
		{"no signers", func(top map[string][]byte) { delete(top, AllowedSigners) }, "allowed_signers: it is missing"},
		{"another signer", func(top map[string][]byte) {
			top[AllowedSigners] = []byte(line + strings.Replace(line, "AAAI", "AAAJ", 1))
		}, "allowed_signers:2: it is not what the keys of the head give (F4)"},
		{"a signer for more", func(top map[string][]byte) {
			top[AllowedSigners] = []byte(strings.Replace(line, "/v1,", "/v1,git,", 1))
		}, "allowed_signers:1: "},
		{"no signer in it", func(top map[string][]byte) { top[AllowedSigners] = nil }, "allowed_signers:1: "},
		{"no attributes", func(top map[string][]byte) { delete(top, GitAttributes) }, ".gitattributes: it is missing"},
		{"line ends", func(top map[string][]byte) { top[GitAttributes] = []byte("* text=auto\n") }, ".gitattributes: it is not the one line `* -text` (F4)"},
		{"no readme", func(top map[string][]byte) { delete(top, Readme) }, "README.md: it is missing"},
		{"two heads", func(top map[string][]byte) { top["HEAD.yml"] = nil }, "HEAD.yml: on some systems it is the same file as head.yml (F4)"},
	} {
		top := maps.Clone(good)
		tt.edit(top)
		odd := Beside(head, top)
		if len(odd) != 1 || !strings.HasPrefix(odd[0].Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, odd, tt.want)
		}
	}
}
