package render

import (
	"strings"
	"time"

	"github.com/distributed-trust/distrust/records/trust"
)

// Report is everything that check and why say about one thing (C4).
type Report struct {
	Path     string // as the user wrote it, "-" for standard input
	Query    trust.Query
	Decision trust.Decision

	Follows       int       // how many sources are followed at all
	Synced        time.Time // oldest verified fetch of a source that is followed; zero: never
	NotUnderstood int       // records that need a newer distrust
	Indexed       int       // voices taken from the index because there are more than are opened
	Notes         []string  // further facts for why, as plain sentences
	Hints         []Hint    // what would change it, best first
	Exit          int
	Certs         []string // files of --cert: a command that is about one of these keys needs them, too
	Proofs        []Arg    // the words that named signatures, lists and certificates: the same question needs them, too
}

// TrustSigner is the command that trusts a signer for the project.
func (r Report) TrustSigner(signer string) []Arg {
	words := Words("distrust", "trust", "--signer", signer, "--for", Project(r.Decision.Project))
	if strings.HasPrefix(signer, "openpgp:") { // the others are the whole key
		for _, file := range r.Certs {
			words = append(words, Word("--cert"), File(file, ""))
		}
	}
	return words
}

// Hint is a next step: a text, a command, or both.
type Hint struct {
	Text    string
	Command []Arg // nil: no command
}

// IsZero says that there is no next step.
func (h Hint) IsZero() bool { return h.Text == "" && len(h.Command) == 0 }

// Line is the next step on one line: the text, then the command to paste. A command that cannot
// be shown safely is left out, and with it a text that would lead nowhere.
func (h Hint) Line() string {
	text := Escape(h.Text)
	if len(h.Command) == 0 {
		return text
	}
	command, ok := Command(h.Command...)
	switch {
	case !ok:
		return text
	case text == "":
		return command
	}
	return text + ": " + command
}
