package config

import (
	"strconv"
	"strings"
)

// pair is one field as it is written: its key and the text of its value.
type pair struct {
	key, text string
}

// pairs are the fields of s that differ from what an absent one means, in the order of C7.
func (s Source) pairs() []pair {
	var out []pair
	add := func(written bool, key, text string) {
		if written {
			out = append(out, pair{key, text})
		}
	}
	add(true, "name", quoted(s.Name))
	add(s.Log != "", "log", quoted(s.Log))
	add(true, "url", quoted(s.URL))
	add(s.Fingerprint != "", "fingerprint", quoted(s.Fingerprint))
	add(s.Weight != DefaultWeight, "weight", strconv.Itoa(s.Weight))
	add(s.Depth != 0, "depth", strconv.Itoa(s.Depth))
	add(s.ViaMax != DefaultViaMax, "via_max", strconv.Itoa(s.ViaMax))
	add(len(s.Scopes) > 0, "scopes", quotedList(s.Scopes))
	add(!s.Expires.IsZero(), "expires", formatMoment(s.Expires))
	add(s.Transport != Builtin, "transport", string(s.Transport))
	add(s.Insecure, "insecure", "true")
	limits := s.Limits.pairs()
	add(len(limits) > 0, "limits", flow(limits))
	return out
}

// pairs are the limits that are raised.
func (l Limits) pairs() []pair {
	var out []pair
	for _, limit := range l.numbers() {
		if *limit.value != 0 {
			out = append(out, pair{limit.name, strconv.FormatInt(*limit.value, 10)})
		}
	}
	if l.Timeout != 0 {
		out = append(out, pair{"timeout", l.Timeout.String()})
	}
	if l.Idle != 0 {
		out = append(out, pair{"idle", l.Idle.String()})
	}
	return out
}

// pairs are the fields of c that differ from the defaults.
func (c Config) pairs() []pair {
	var out, policy []pair
	def := DefaultConfig()
	if c.Policy.Trust != def.Policy.Trust {
		policy = append(policy, pair{"trust", strconv.Itoa(c.Policy.Trust)})
	}
	if c.Policy.Block != def.Policy.Block {
		policy = append(policy, pair{"block", strconv.Itoa(c.Policy.Block)})
	}
	if len(policy) > 0 {
		out = append(out, pair{"policy", flow(policy)})
	}
	if c.Publish != def.Publish {
		out = append(out, pair{"publish", string(c.Publish)})
	}
	if c.Journal != def.Journal {
		out = append(out, pair{"journal", strconv.FormatBool(c.Journal)})
	}
	return out
}

// quoted is a double-quoted YAML scalar. What we write has passed schema.ValidText, so that only
// the quote and the backslash need an escape.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// quotedList is a list of strings on one line.
func quotedList(list []string) string {
	items := make([]string, len(list))
	for i, s := range list {
		items[i] = quoted(s)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// flow is a mapping on one line.
func flow(pairs []pair) string {
	items := make([]string, len(pairs))
	for i, p := range pairs {
		items[i] = p.key + ": " + p.text
	}
	return "{" + strings.Join(items, ", ") + "}"
}
