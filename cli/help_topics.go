package cli

import (
	"fmt"
	"strings"
)

// topic is a page of help that belongs to no single command.
type topic struct {
	name    string
	summary string
	text    func() string
}

// topics are all pages, in the order in which the overview lists them.
func topics() []topic {
	return []topic{
		{"exit-codes", "what the exit codes mean", exitCodesTopic},
		{"projects", "how projects, versions and patterns are written", page(projectsTopic)},
		{"weights", "how far a source is believed, and how verdicts add up", page(weightsTopic)},
		{"verdicts", "the four answers and what decides", page(verdictsTopic)},
		{"times", "how lengths of time and dates are written", page(timesTopic)},
		{"stolen-key", "what to do when somebody has a key of yours", page(stolenKeyTopic)},
		{"files", "where everything lies, and the environment", page(filesTopic)},
		{"settings", "what may stand in config.yml and sources.yml", page(settingsTopic)},
	}
}

func page(text string) func() string { return func() string { return text } }

// exitCodesTopic prints the table of exit codes from the one that the program uses.
func exitCodesTopic() string {
	var b strings.Builder
	b.WriteString("Only 0 means go on. Every other code means stop, also one not listed here.\n\n")
	for _, row := range exitTable {
		fmt.Fprintf(&b, "  %3d  %s\n", row.exit, row.meaning)
	}
	b.WriteString(`
Several files: the first of 5, 6, 1, 3, 0 that one of them has.
sync: the first of 10, 7, 12, 1. With --quiet a source that cannot be reached
is an error only after 7 days.
run, pipe: 125, 126 and 127 as above, otherwise the command's own code.
cat, get, ask, why: the code of the verdict.
`)
	return b.String()
}

const projectsTopic = `A project says what a file is said to be: trust in a signer counts only for the
projects that were named with it.

  pypi:requests          a package of PyPI; the same as pkg:pypi/requests
  npm:@scope/name        a package of npm
  github:owner/repo      a repository; gitlab:, codeberg: and bitbucket: too,
                         and https://github.com/owner/repo is taken as well
  golang:example.org/x   a Go module; upper and lower case count
  jq                     a bare word is generic:jq

A version follows the last @: pypi:requests@2.33.0

A pattern names several projects:

  pypi:requests          just this one
  github:owner/          everything below (the same as pkg:github/owner/*)
  npm:                   everything of one kind (pkg:npm/*)
  '*'                    everything

Give the project with --for: distrust check --for pypi:requests FILE
`

const weightsTopic = `You choose whom to follow and how much each may add:

  full   100   one is enough
  half    50   two are needed
  third   34   three are needed
  mute     0   listed, never counted

or any number from 0 to 100. Yes must reach 100 after the no's are taken off;
50 of no stops it; your own word wins unless there is a report that you have
not seen. A weight is a capacity: all that reaches you through one source adds
at most its weight, however many people stand behind it.

  --depth N     hear N hops beyond the source: the people it follows publicly.
                All of them together add at most 50 (via_max), unless
                sources.yml says otherwise.
  --scope P     count the source only for projects that match the pattern

distrust why FILE shows every voice and how much it added.
`

const verdictsTopic = `  TRUSTED     you trust these bytes or their signer, or people you follow say
              enough. The only answer that means go on (exit 0).
  UNKNOWN     nobody you follow says enough (exit 3).
  DISTRUSTED  you reported it, or people you follow did, at 50 or more (exit 5).
  MISMATCH    something is not as it should be: a bad signature, another signer
              than before, other bytes than a followed list names (exit 6).

The first line that matches decides:

  1. you reported it                                        DISTRUSTED
  2. reports that you have not seen weigh 50 or more        DISTRUSTED
  3. you trust these very bytes                             TRUSTED
  4. bad signature, other bytes, or a changed signer        MISMATCH
  5. you trust the signer for this project                  TRUSTED
  6. yes minus no is 100 or more                            TRUSTED
  7. anything else                                          UNKNOWN
`

const timesTopic = `A length of time is a whole number and a unit: 48h, 90d, 6w, 1y (365 days).
A point in time is a length of time from now, a date (its first moment in UTC),
or RFC 3339:

  90d   48h   2027-01-31   2027-01-31T10:00:00Z
`

const settingsTopic = `Both files are in ~/.config/distrust, and yours: comments and order stay as you
wrote them when distrust adds something.

config.yml, every line with what it is without it:

  policy: {trust: 100, block: 50}  # see: distrust help weights
  publish: terminal                # when somebody looks; or auto, or never
  journal: true                    # remember what check accepted, for alarms

sources.yml, which follow, unfollow and the first sync of an entry write to;
name and url must be there, and fingerprint for a first sync:

  sources:
    - name: alice
      url: https://example.org/alice/trust.git
      fingerprint: SHA256:Wv3cbVqQLzFqPlF1b7yXn2gxZ5xPqk1lL9m0cO3yQpE
      log: 9f2c41ab7e0386d5a1b2c3d4e5f60718  # another one is refused
      weight: full                    # full, half, third, mute, or 0 to 100
      scopes: [pypi:requests, 'npm:']
      depth: 1                        # also hear whom she follows publicly
      via_max: 30                     # the most that these add together
      expires: 2027-01-31             # not counted from then on
      insecure: true                  # http:// and git:// are allowed
      transport: git                  # fetch it with your git; see below
      limits: {files: 500000, pack: 134217728, timeout: 2m}

An error names the limit that a source is above.

With transport: git, your git fetches the source, with what your settings of git
and ssh say: jump hosts, proxies, credentials. It asks nothing meanwhile, and
what it brings is held to the same limits and signatures. Without it, nothing of
those settings is read, and no git is needed.
`

const filesTopic = `config  ~/.config/distrust       config.yml, sources.yml: yours to edit
data    ~/.local/share/distrust  home (your repository), private, sources, keys
state   ~/.local/state/distrust  chosen key and home, pins, journal, alarms
cache   ~/.cache/distrust        index: may be deleted at any time

XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME and XDG_CACHE_HOME move them, and
DISTRUST_CONFIG_DIR, DISTRUST_DATA_DIR, DISTRUST_STATE_DIR and
DISTRUST_CACHE_DIR name each folder itself. Files of ours that everybody may
write, or that belong to somebody else, are refused.

CI         set: no question is ever asked
NO_COLOR   set: no colour
TERM=dumb  no colour, and one sentence a row in place of tables
`
