package cli

// program is the whole command line: every command, in the order in which help lists them (C3).
func program(env *Env) *Command {
	return &Command{
		Sub: []*Command{
			checkCommand(env),
			whyCommand(env),
			askCommand(env),
			runCommand(env),
			pipeCommand(env),
			catCommand(env),
			getCommand(env),
			trustCommand(env),
			reportCommand(env),
			withdrawCommand(env),
			listCommand(env),
			showCommand(env),
			sealCommand(env),
			followCommand(env),
			unfollowCommand(env),
			sourcesCommand(env),
			syncCommand(env),
			alarmsCommand(env),
			journalCommand(env),
			initCommand(env),
			keyCommand(env),
			shareCommand(env),
			doctorCommand(env),
			gitCommand(env),
			tourCommand(env),
			helpCommand(env),
			completionCommand(env),
			versionCommand(env),
			fetchChildCommand(env),
		},
	}
}
