package cli

import (
	"context"
	"fmt"
	"io"

	urfave "github.com/urfave/cli/v2"
)

func catCommand(*Env) *Command {
	return &Command{
		Name: "cat", Operands: "FILE|-", Min: 1, Max: 1, Group: Decide,
		Summary: "print a file, the very bytes that were checked",
		Text: `Prints the bytes when they are trusted, and nothing at all else. They wait in a private file without a name until all of ` +
			`them were checked.` + "\n\n" +
			`Inside <(...) most shells leave nobody to be asked, and none sees the exit code: ask first, as in the examples.` + "\n\n" + questionText + "\n\n" + signatureText,
		Flags: append(append([]urfave.Flag{forFlag(), maxSizeFlag()}, signatureFlags()...), keyFlags()...),
		Examples: []Example{
			{"distrust ask .envrc && source <(distrust cat .envrc)", "read settings into bash or zsh"},
			{"distrust ask .envrc && distrust cat .envrc | source", "the same in fish"},
			{"curl -fsSL https://example.org/key.asc | distrust cat - > key.asc", "keep only what is trusted"},
		},
		Exits: []Exit{Unknown, Distrusted, Mismatch, NotSetUp},
		Run:   runCat,
	}
}

// runCat prints a copy of what it checked.
func runCat(ctx context.Context, in *Invocation) (Exit, error) {
	most, err := in.maxSize()
	if err != nil {
		return Usage, err
	}
	h, err := hold(most)
	if err != nil {
		return Failed, err
	}
	defer in.forget(h)
	exit, err := in.admitInto(ctx, h, in.Operands[0])
	if err != nil || exit != Done {
		return exit, err
	}
	if _, err := io.Copy(in.Env.Stdout, h.content()); err != nil {
		return Failed, fmt.Errorf("writing output: %w", err)
	}
	return Done, nil
}
