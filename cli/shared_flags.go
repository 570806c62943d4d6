package cli

import urfave "github.com/urfave/cli/v2"

// The names of flags that several commands share; they mean the same in all of them.
const (
	jsonFlagName  = "json"
	quietFlagName = "quiet"
	homeFlagName  = "home"
	forFlagName   = "for"
)

// jsonFlag is --json: one object a line, as the published schemas say (C1).
func jsonFlag() urfave.Flag {
	return &urfave.BoolFlag{Name: jsonFlagName, Usage: "one JSON object a line"}
}

// quietFlag is -q: nothing is printed but errors; the exit code says it (C1).
func quietFlag() urfave.Flag {
	return &urfave.BoolFlag{Name: quietFlagName, Aliases: []string{"q"}, Usage: "print nothing; the exit code says it"}
}

// homeFlag is --home: another clone than the user's own, such as a team's (C3).
func homeFlag() urfave.Flag {
	return &urfave.StringFlag{Name: homeFlagName, Usage: "use the trust repository in `DIR`"}
}

// forFlag is --for: what the file is said to be (C3).
func forFlag() urfave.Flag {
	return &urfave.StringFlag{Name: forFlagName, Usage: "what it is: a `PROJECT`, with @VERSION when known (distrust help projects)"}
}
