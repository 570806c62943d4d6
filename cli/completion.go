package cli

import (
	"context"
	"fmt"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
)

func completionCommand(*Env) *Command {
	return &Command{
		Name: "completion", Operands: "bash|zsh|fish", Min: 1, Max: 1, Group: Own,
		Summary: "print the completion script of a shell",
		Text: "The script knows the commands and flags of this very version and asks the " +
			"program nothing while you type.",
		Examples: []Example{
			{"source <(distrust completion bash)", "in ~/.bashrc"},
			{"distrust completion zsh > ~/.zfunc/_distrust", "with ~/.zfunc in fpath, before compinit"},
			{"distrust completion fish > ~/.config/fish/completions/distrust.fish", "once"},
		},
		Run: func(_ context.Context, in *Invocation) (Exit, error) {
			script, err := completionScript(program(in.Env), in.Operands[0])
			if err != nil {
				return Usage, err
			}
			_, err = fmt.Fprint(in.Env.Stdout, script)
			return Done, err
		},
	}
}

// place is one point of the command line that can be completed: a command and what may follow.
type place struct {
	path  string // "distrust alarms ack"
	words []offer
	flags []offer
}

// offer is one word that is offered.
type offer struct {
	word  string
	text  string
	value bool // a flag that takes one
}

// places lists every command in the order of help.
func places(c *Command, path string) []place {
	here := place{path: path}
	var below []place
	for _, sub := range c.Sub {
		if sub.Hidden {
			continue
		}
		here.words = append(here.words, offer{word: sub.Name, text: sub.Summary})
		below = append(below, places(sub, path+" "+sub.Name)...)
	}
	if c.Ends != Raw {
		here.flags = flagOffers(c)
	}
	return append([]place{here}, below...)
}

// flagOffers are the flags of a command, long names only.
func flagOffers(c *Command) []offer {
	var offers []offer
	for _, flag := range c.allFlags() {
		if documented, ok := flag.(urfave.DocGenerationFlag); ok {
			_, text := placeholder(documented.GetUsage())
			offers = append(offers, offer{"--" + flag.Names()[0], text, documented.TakesValue()})
		}
	}
	return offers
}

// completionScript is what a shell has to read.
func completionScript(root *Command, shell string) (string, error) {
	all := places(root, "distrust")
	for i := range all {
		switch all[i].path {
		case "distrust help":
			all[i].words = append(all[i].words, all[0].words...)
			for _, t := range topics() {
				all[i].words = append(all[i].words, offer{word: t.name, text: t.summary})
			}
		case "distrust completion":
			all[i].words = []offer{{word: "bash"}, {word: "zsh"}, {word: "fish"}}
		}
	}
	switch shell {
	case "bash":
		return bashScript(all), nil
	case "zsh":
		return zshScript(all), nil
	case "fish":
		return fishScript(all), nil
	}
	return "", usagef("no completion for %q: bash, zsh or fish", shell)
}

// paths are the commands as one pattern of a shell's case: what is typed so far, with one word
// more, is still a command.
func paths(all []place, between string) string {
	quoted := make([]string, 0, len(all))
	for _, p := range all[1:] {
		quoted = append(quoted, render.Quote(p.path))
	}
	return strings.Join(quoted, between)
}

// join writes the words of offers with spaces between.
func join(offers []offer) string {
	words := make([]string, len(offers))
	for i, o := range offers {
		words[i] = o.word
	}
	return strings.Join(words, " ")
}

func bashScript(all []place) string {
	var b strings.Builder
	b.WriteString(`# bash completion of distrust
_distrust() {
  local cur="${COMP_WORDS[COMP_CWORD]}" at=distrust words='' flags='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == -- ]] && return
    case "$at ${COMP_WORDS[i]}" in
      ` + paths(all, "|") + `) at="$at ${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at" in
`)
	for _, p := range all {
		fmt.Fprintf(&b, "    %s) words=%s flags=%s ;;\n",
			render.Quote(p.path), render.Quote(join(p.words)), render.Quote(join(p.flags)))
	}
	b.WriteString(`  esac
  [[ $cur == -* ]] && words=$flags
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o bashdefault -o default -F _distrust distrust
`)
	return b.String()
}

func zshScript(all []place) string {
	describe := func(offers []offer) string {
		var quoted []string
		for _, o := range offers {
			text := strings.ReplaceAll(o.text, ":", `\:`)
			quoted = append(quoted, render.Quote(o.word+":"+text))
		}
		return strings.Join(quoted, " ")
	}
	var b strings.Builder
	b.WriteString(`#compdef distrust
_distrust() {
  local at=distrust word
  local -a offered flags
  for word in "${(@)words[2,CURRENT-1]}"; do
    [[ $word == -- ]] && { _files; return }
    case "$at $word" in
      (` + paths(all, "|") + `) at="$at $word" ;;
    esac
  done
  case "$at" in
`)
	for _, p := range all {
		fmt.Fprintf(&b, "    (%s) offered=(%s) flags=(%s) ;;\n",
			render.Quote(p.path), describe(p.words), describe(p.flags))
	}
	b.WriteString(`  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o flag flags
  else
    (( $#offered )) && _describe word offered
    [[ $at == distrust ]] || _files
  fi
}
if [[ $funcstack[1] == _distrust ]]; then
  _distrust "$@"
else
  compdef _distrust distrust
fi
`)
	return b.String()
}

func fishScript(all []place) string {
	var b strings.Builder
	b.WriteString(`# fish completion of distrust
function __distrust_at
    set -l at distrust
    for word in (commandline -opc)[2..-1]
        switch "$at $word"
            case ` + paths(all, " ") + `
                set at "$at $word"
        end
    end
    test "$at" = "$argv[1]"
end
`)
	for _, p := range all {
		condition := render.Quote("__distrust_at " + render.Quote(p.path))
		if p.path == "distrust" {
			fmt.Fprintf(&b, "complete -c distrust -n %s -f\n", condition)
		}
		for _, o := range p.words {
			fmt.Fprintf(&b, "complete -c distrust -n %s -a %s -d %s\n",
				condition, render.Quote(o.word), render.Quote(o.text))
		}
		for _, o := range p.flags {
			takes := ""
			if o.value {
				takes = " -r"
			}
			fmt.Fprintf(&b, "complete -c distrust -n %s -l %s%s -d %s\n",
				condition, strings.TrimPrefix(o.word, "--"), takes, render.Quote(o.text))
		}
	}
	return b.String()
}
