package schema

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// seed adds every document of the corpora.
func seed(f *testing.F, kind string) {
	for _, dir := range []string{"corpus/good", "corpus/bad", "corpus/beyond", "f1bad"} {
		for _, doc := range corpus(f, dir) {
			// Large documents only slow the fuzzer down.
			if len(doc.text) < 8<<10 && (kind == "" || doc.kind() == kind) {
				f.Add(doc.text)
			}
		}
	}
}

// FuzzNodes: no bytes make the reader panic, and what passes F1 holds only what F1 allows,
// judged here by other means than the reader's.
func FuzzNodes(f *testing.F) {
	seed(f, "")
	f.Fuzz(func(t *testing.T, b []byte) {
		root, refused := parseNodes("", b, MaxRecordBytes)
		if refused != nil {
			if refused.Rule != F1 || refused.notUnderstood || ValidText(refused.Error()) != nil {
				t.Fatalf("refused with %#v", refused)
			}
			return
		}
		for line := range strings.SplitSeq(string(b), "\n") {
			if ValidText(line) != nil || strings.HasPrefix(line, "---") || strings.HasPrefix(line, "...") {
				t.Fatalf("line %q is accepted", line)
			}
		}
		checkNode(t, b, root, "", 1)
		var value map[string]any
		if err := yaml.Unmarshal(b, &value); err != nil {
			t.Fatalf("accepted, but the library refuses: %v", err)
		}
	})
}

// checkNode asserts F1's rules of one node. A tag, anchor or alias cannot be written without
// its sign before the value, and the sign may only stand in a scalar or comment.
func checkNode(t *testing.T, b []byte, n *yaml.Node, field string, depth int) {
	if n.Anchor != "" || n.Alias != nil || n.Style&yaml.TaggedStyle != 0 || n.Tag == "!!null" || n.Tag == "!!merge" || n.Tag == "!!binary" {
		t.Fatalf("node %+v is accepted", n)
	}
	switch n.Kind {
	case yaml.ScalarNode:
		text := n.Value
		if field == "certificate" {
			text = strings.ReplaceAll(text, "\n", "")
		} else if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			t.Fatalf("a block as %q is accepted", field)
		}
		if err := ValidText(text); err != nil {
			t.Fatalf("%q is accepted: %v", n.Value, err)
		}
	case yaml.MappingNode, yaml.SequenceNode:
		if depth > MaxDepth {
			t.Fatalf("depth %d is accepted", depth)
		}
		keys := map[string]bool{}
		for i, child := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 {
				field = child.Value
				if child.Kind != yaml.ScalarNode || keys[field] {
					t.Fatalf("key %q is accepted", field)
				}
				keys[field] = true
				checkNode(t, b, child, "", depth+1)
				continue
			}
			if n.Kind == yaml.SequenceNode {
				field = ""
			}
			checkNode(t, b, child, field, depth+1)
		}
	default:
		t.Fatalf("node of kind %d is accepted", n.Kind)
	}
}

// FuzzRecord: Parse(Marshal(Parse(b))) is Parse(b), and the writer's text is stable.
func FuzzRecord(f *testing.F) {
	seed(f, "record")
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := ParseRecord("r.yml", b)
		if err != nil {
			return
		}
		if len(b) > MaxRecordBytes/2 {
			return // written out in full, it may be too large
		}
		text := marshal(t, rec)
		again, err := ParseRecord("r.yml", text)
		if err != nil || !reflect.DeepEqual(rec, again) {
			t.Fatalf("read %+v\nthen %+v, %v", rec, again, err)
		}
		if !bytes.Equal(text, marshal(t, again)) {
			t.Fatal("written twice, two texts")
		}
	})
}

// FuzzHead is FuzzRecord for heads.
func FuzzHead(f *testing.F) {
	seed(f, "head")
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHead("head.yml", b)
		if err != nil || len(b) > MaxHeadBytes/2 {
			return
		}
		text := marshal(t, h)
		again, err := ParseHead("head.yml", text)
		if err != nil || !reflect.DeepEqual(h, again) {
			t.Fatalf("read %+v\nthen %+v, %v", h, again, err)
		}
	})
}

// FuzzProjects: what is normalised is valid and stays as it is; a project matches itself, every
// prefix of whole segments, and "*".
func FuzzProjects(f *testing.F) {
	for _, typed := range []string{"jq", "jq@1.8", "pypi:Zope.Interface@1", "npm:@s/n@1", "pkg:npm/%40s/n@1", "golang:example.org/X@v1", "github:o/r", "deb:debian/curl@1:7~2", "a/b", "x:%2e%2e", "generic:ä b", "@", "pypi:", "github:alice/*", "*", "pkg:%", "pypi:%2F@%41", "https://github.com/o/r.git.git@v1", "git@codeberg.org:a/b", "http://gitlab.com/a/b/c/"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		if pattern, err := NormalizePattern(typed); err == nil {
			if err := ValidPattern(pattern); err != nil {
				t.Fatalf("pattern %q: %v", pattern, err)
			}
			if again, err := NormalizePattern(pattern); err != nil || again != pattern {
				t.Fatalf("pattern %q becomes %q, %v", pattern, again, err)
			}
		}
		project, version, err := NormalizeProject(typed)
		if err != nil {
			return
		}
		if err := ValidProject(project); err != nil {
			t.Fatal(err)
		}
		typedAgain := project
		if version != "" {
			typedAgain += "@" + version
			if p, v, ok := SplitRelease(typedAgain); !ok || p != project || v != version {
				t.Fatalf("%q splits into %q %q %v", typedAgain, p, v, ok)
			}
		}
		if p, v, err := NormalizeProject(typedAgain); err != nil || p != project || v != version {
			t.Fatalf("%q becomes %q %q, %v", typedAgain, p, v, err)
		}
		checkMatches(t, project)
	})
}

func checkMatches(t *testing.T, project string) {
	if !MatchPattern(project, project) || !MatchPattern("*", project) || MatchPattern(project+"/*", project) {
		t.Fatalf("%q does not match itself and no more", project)
	}
	for i, c := range []byte(project) {
		prefix := project[:i]
		if c == '/' && !MatchPattern(prefix+"/*", project) {
			t.Fatalf("%q is not under %s/*", project, prefix)
		}
		if c != '/' && MatchPattern(prefix+"/*", project) {
			t.Fatalf("%q is under %s/*, half a segment", project, prefix)
		}
	}
}

// FuzzPatterns: the readers of projects, patterns, versions, releases and signers never panic
// and agree with the published schemas.
func FuzzPatterns(f *testing.F) {
	for _, doc := range corpus(f, "corpus/bad") {
		for _, mark := range []string{`project: "`, `scopes: ["`, `release: "`, `signer: "`, `version: "`, `by: "`, `contact: "`, `key: "`} {
			if _, value, ok := strings.Cut(string(doc.text), mark); ok {
				value, _, _ = strings.Cut(value, `"`)
				f.Add(value)
			}
		}
	}
	for _, s := range []string{"*", "pkg:a/*", "pkg:a/b/*", "pkg:a/.b/...", "pkg:a/b@1", "1!2:3^4~5", testKey, testPGP, testFP, "https://a", "2026-11-21T10:00:00Z", "2024-02-29T23:59:59Z"} {
		f.Add(s)
	}
	published := publishedPatterns(f)
	f.Fuzz(func(t *testing.T, s string) {
		if ValidText(s) != nil {
			return // F1, of which the schemas say nothing
		}
		for name, valid := range validators() {
			if got := valid(s) == nil; got != published[name].MatchString(s) {
				t.Fatalf("%s %q: valid is %v here and %v in the schema", name, s, got, !got)
			}
		}
	})
}
