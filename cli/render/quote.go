package render

import (
	"strings"
)

// Arg is one word of a command that we print for the user to paste.
type Arg struct {
	word   string
	digest string // stands in for a word that cannot be shown; "" when nothing can
	file   bool
}

// Word is a word of ours: a command, a flag, a value.
func Word(s string) Arg { return Arg{word: s} }

// Words are several words of ours.
func Words(words ...string) []Arg {
	args := make([]Arg, len(words))
	for i, w := range words {
		args[i] = Word(w)
	}
	return args
}

// File is the name of a file. digest ("sha256:HEX", or "" when not known) takes its place when
// the name holds characters that could mislead (C1).
func File(name, digest string) Arg { return Arg{word: name, digest: digest, file: true} }

// Raw is the word as it is passed to a program, without quotes.
func (a Arg) Raw() string {
	if a.file && strings.HasPrefix(a.word, "-") && a.word != "-" {
		return "./" + a.word
	}
	return a.word
}

// Argv are the words as they are passed to a program, without quotes.
func Argv(args []Arg) []string {
	argv := make([]string, len(args))
	for i, a := range args {
		argv[i] = a.Raw()
	}
	return argv
}

// Command writes a command line that sh, bash, zsh and fish all read as exactly these words
// (C1). ok is false when a word cannot be shown safely and no digest can stand in for it; then
// there is no command to print.
func Command(args ...Arg) (line string, ok bool) {
	words := make([]string, len(args))
	for i, a := range args {
		switch {
		case quotable(a.word):
			words[i] = Quote(a.Raw())
		case a.digest != "" && quotable(a.digest):
			words[i] = Quote(a.digest)
		default:
			return "", false
		}
	}
	return strings.Join(words, " "), true
}

// Quote quotes one word for POSIX shells and fish: words of [A-Za-z0-9@%_+=:,./-] stay bare,
// others go into single quotes. It is right for words that [Command] would accept; those with
// control, invisible or backslash characters have no spelling that is safe to show and safe to
// paste in all shells.
func Quote(word string) string {
	if word != "" && !strings.ContainsFunc(word, special) && word[0] != '=' && word[0] != '%' {
		return word // zsh expands a leading =, old fish a leading %
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// special says whether a shell may read r as anything but itself.
func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("@%_+=:,./-", r)
}

// quotable says whether a word looks like what it is and means the same in every shell.
func quotable(word string) bool {
	return !strings.Contains(word, `\`) && Escape(word) == word
}
