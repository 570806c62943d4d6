package cli

// program is the whole command line: every command, in the order in which help lists them (C3).
func program(env *Env) *Command {
	return &Command{
		Sub: []*Command{
			helpCommand(env),
			completionCommand(env),
			versionCommand(env),
		},
	}
}
