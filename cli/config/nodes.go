package config

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// nodeSources edits the nodes of sources.yml and writes all of it anew: comments stay, blank
// lines and indentation need not.
func nodeSources(before []byte, old, want []Source) (string, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(before, &doc); err != nil {
		return "", fmt.Errorf("editing nodes: %w", err)
	}
	if len(doc.Content) == 0 {
		return "", errLayout
	}
	list := sourcesNode(doc.Content[0])
	var kept []*yaml.Node
	for i, item := range list.Content {
		s := byName(want, old[i].Name)
		if s == nil {
			continue
		}
		if err := setNodes(item, old[i].pairs(), s.pairs()); err != nil {
			return "", err
		}
		kept = append(kept, item)
	}
	for _, s := range want {
		if byName(old, s.Name) != nil {
			continue
		}
		item := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: list.Style}
		if err := setNodes(item, nil, s.pairs()); err != nil {
			return "", err
		}
		kept = append(kept, item)
	}
	list.Content = kept
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&doc); err != nil {
		return "", fmt.Errorf("editing nodes: %w", err)
	}
	return out.String(), encoder.Close()
}

// sourcesNode is the list of entries below root, made when it is absent or null. A list that
// stands on one line stays there; an empty one can have lines, with its comment above.
func sourcesNode(root *yaml.Node) *yaml.Node {
	k, list := lookUp(root, "sources")
	if list == nil {
		k, list = &yaml.Node{Kind: yaml.ScalarNode, Value: "sources"}, &yaml.Node{}
		root.Content = append(root.Content, k, list)
	}
	if list.Kind != yaml.SequenceNode {
		list.Kind, list.Tag, list.Value = yaml.SequenceNode, "!!seq", ""
	}
	if len(list.Content) == 0 && root.Style&yaml.FlowStyle == 0 {
		list.Style = 0
		k.HeadComment = strings.TrimPrefix(k.HeadComment+"\n"+list.LineComment, "\n")
		list.LineComment = ""
	}
	return list
}

// setNodes changes the fields of one mapping from old to want.
func setNodes(mapping *yaml.Node, old, want []pair) error {
	for _, p := range want {
		if slices.Contains(old, p) {
			continue
		}
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(p.text), &doc); err != nil || len(doc.Content) != 1 {
			return fmt.Errorf("writing field %s: %w", p.key, err)
		}
		new := doc.Content[0]
		if v := value(mapping, p.key); v != nil {
			new.HeadComment, new.LineComment, new.FootComment = v.HeadComment, v.LineComment, v.FootComment
			*v = *new
			continue
		}
		mapping.Content = append(mapping.Content,
			&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: p.key}, new)
	}
	mapping.Content = slices.Concat(slices.DeleteFunc(
		slices.Collect(slices.Chunk(mapping.Content, 2)),
		func(field []*yaml.Node) bool {
			had := func(p pair) bool { return p.key == field[0].Value }
			return slices.ContainsFunc(old, had) && !slices.ContainsFunc(want, had)
		})...)
	return nil
}
