package cli

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/records/source"
)

// fetchChildName is how this program starts itself to fetch a source.
const fetchChildName = "fetch-child"

// fetchChildCommand is the process that fetches one source (S3.3). People do not run it.
func fetchChildCommand(*Env) *Command {
	return &Command{
		Name: fetchChildName, Hidden: true,
		Summary: "fetch one source for the distrust that starts this",
		Run: func(ctx context.Context, in *Invocation) (Exit, error) {
			return Done, source.FetchInChild(ctx, in.Env.Stdin, in.Env.Stdout)
		},
	}
}

// fetchChild makes the command of that process. It sees of the environment only what reaching a
// server takes: what it reads is hostile.
func (e *Env) fetchChild() (func(context.Context) *exec.Cmd, error) {
	program, err := e.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	environ := slices.DeleteFunc(e.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return !slices.Contains(fetchVariables(), strings.ToUpper(name))
	})
	return func(ctx context.Context) *exec.Cmd {
		command := exec.CommandContext(ctx, program, fetchChildName)
		command.Args[0] = "distrust"
		command.Env = environ
		return command
	}, nil
}

// fetchVariables are those of the environment that say how to reach a server.
func fetchVariables() []string {
	return []string{
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"GODEBUG", "GOCOVERDIR", "SYSTEMROOT", "TMPDIR", "TMP", "TEMP",
	}
}
