package cli

import (
	"context"
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/schema"
)

func versionCommand(*Env) *Command {
	return &Command{
		Name: "version", Group: Own, Killable: true,
		Summary: "print the version of the program and of the format",
		Flags:   []urfave.Flag{jsonFlag()},
		Examples: []Example{
			{"distrust version", "one line, for bug reports"},
			{"distrust version --json", "the same for programs"},
		},
		Run: func(_ context.Context, in *Invocation) (Exit, error) {
			return Done, runVersion(in.Env, in.Bool(jsonFlagName))
		},
	}
}

// runVersion prints which program this is and which format it reads and writes.
func runVersion(env *Env, asJSON bool) error {
	b := env.Build()
	if asJSON {
		return render.EncodeJSON(env.Stdout, struct {
			Version string `json:"version"`
			Commit  string `json:"commit,omitempty"`
			Format  int    `json:"format"`
			Go      string `json:"go"`
			System  string `json:"system"`
		}{b.Version, b.Commit, schema.Version, b.Go, b.System})
	}
	version := b.Version
	if b.Commit != "" {
		version += " (" + b.Commit + ")"
	}
	_, err := fmt.Fprintf(env.Stdout, "distrust %s, format %d, %s, %s\n", version, schema.Version, b.Go, b.System)
	return err
}
