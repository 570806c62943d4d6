package cli

import "slices"

// maker makes the command of a name.
type maker struct {
	name string
	make func(*Env) *Command
}

// makers make every command, in the order in which help lists them (C3).
func makers() []maker {
	return []maker{
		{"check", checkCommand},
		{"why", whyCommand},
		{"ask", askCommand},
		{"run", runCommand},
		{"pipe", pipeCommand},
		{"cat", catCommand},
		{"get", getCommand},
		{"trust", trustCommand},
		{"report", reportCommand},
		{"withdraw", withdrawCommand},
		{"list", listCommand},
		{"show", showCommand},
		{"seal", sealCommand},
		{"follow", followCommand},
		{"unfollow", unfollowCommand},
		{"sources", sourcesCommand},
		{"sync", syncCommand},
		{"alarms", alarmsCommand},
		{"journal", journalCommand},
		{"init", initCommand},
		{"key", keyCommand},
		{"share", shareCommand},
		{"doctor", doctorCommand},
		{"git", gitCommand},
		{"tour", tourCommand},
		{"help", helpCommand},
		{"completion", completionCommand},
		{"version", versionCommand},
		{fetchChildName, fetchChildCommand},
	}
}

// program is the whole command line.
func program(env *Env) *Command {
	root := &Command{}
	for _, m := range makers() {
		root.Sub = append(root.Sub, m.make(env))
	}
	return root
}

// programFor is program as far as args need it: where they begin with the name of a command and want no help,
// it is made alone. Making them all takes a good part of a start.
func programFor(env *Env, args []string) *Command {
	if len(args) > 0 && !slices.Contains(args, "--"+helpFlag) && !slices.Contains(args, "-h") {
		for _, m := range makers() {
			if m.name == args[0] {
				return &Command{Sub: []*Command{m.make(env)}}
			}
		}
	}
	return program(env)
}
