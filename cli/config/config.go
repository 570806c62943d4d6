package config

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/distributed-trust/distrust/records/trust"
)

// Config is config.yml: what the user wants on every machine (C7).
type Config struct {
	Policy  trust.Policy // the two bars of D1
	Publish Publish
	Journal bool // whether this machine remembers what it accepted
}

// Publish says when a sync pushes the user's own records (C3, sync).
type Publish string

// When to push.
const (
	PublishTerminal Publish = "terminal" // when somebody is looking
	PublishAuto     Publish = "auto"     // always; `init URL` sets it
	PublishNever    Publish = "never"
)

// DefaultConfig is what an absent or empty config.yml means.
func DefaultConfig() Config {
	return Config{Policy: trust.DefaultPolicy(), Publish: PublishTerminal, Journal: true}
}

// maxBar is how high a bar of the policy may be.
const maxBar = 1000

// ParseConfig reads a config.yml. Errors are of type [*FileError].
func ParseConfig(file string, b []byte) (Config, error) {
	r, c := reader{file}, DefaultConfig()
	root, err := r.document(b)
	if root == nil || err != nil {
		return c, err
	}
	err = r.mapping(root, "config.yml", map[string]field{
		"policy": func(n *yaml.Node) error {
			return r.mapping(n, "policy", map[string]field{
				"trust": number(r, &c.Policy.Trust, 1, maxBar),
				"block": number(r, &c.Policy.Block, 1, maxBar),
			})
		},
		"publish": parsed(r, &c.Publish, parsePublish),
		"journal": r.truth(&c.Journal),
	})
	return c, err
}

func parsePublish(s string) (Publish, error) {
	switch p := Publish(s); p {
	case PublishTerminal, PublishAuto, PublishNever:
		return p, nil
	}
	return "", fmt.Errorf("publish is terminal, auto or never, and not %q", s)
}

// Machine is state.yml: what was chosen on this machine, and is not shared with others (C7).
type Machine struct {
	Key  string // the key that signs: a public key, or a file; "" when none was chosen
	Home string // where the user's own repository lies; "" for [Dirs.Home]
}

// ParseMachine reads a state.yml. Errors are of type [*FileError].
func ParseMachine(file string, b []byte) (Machine, error) {
	var m Machine
	r := reader{file}
	root, err := r.document(b)
	if root == nil || err != nil {
		return m, err
	}
	err = r.mapping(root, "state.yml", map[string]field{
		"key":  r.text(&m.Key, anyText),
		"home": r.text(&m.Home, anyText),
	})
	return m, err
}
