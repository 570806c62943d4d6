package source

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// childVariable makes the test binary the process that fetches, or one that only says so.
const childVariable = "SOURCE_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case "":
		os.Exit(m.Run())
	case "fetch":
		if err := FetchInChild(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// fetchInChild is this binary as the process that fetches. Every machine of these tests has it.
func fetchInChild(ctx context.Context) *exec.Cmd {
	command := exec.CommandContext(ctx, os.Args[0])
	command.Env = []string{childVariable + "=fetch"}
	return command
}
