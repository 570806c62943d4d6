package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/cli/render"
)

// hookSeconds is how often a shell looks for alarms at most.
const hookSeconds = "300"

// hooks are the lines that make a shell tell of alarms before a prompt: at the first one, and then when
// some minutes have passed. They leave the exit code of the last command alone, print nothing when the
// program is gone, and may be read twice.
var hooks = map[string]string{
	"bash": `__distrust_alarms() {
  local code=$?
  if (( ${SECONDS:-0} >= ${__distrust_due:-0} )); then
    __distrust_due=$(( ${SECONDS:-0} + ` + hookSeconds + ` ))
    if [[ -x PROGRAM ]]; then PROGRAM alarms --brief --no-input </dev/null 2>/dev/null || :; fi
  fi
  return "$code"
}
if [[ "${PROMPT_COMMAND[*]-}" != *__distrust_alarms* ]]; then
  if [[ "$(declare -p PROMPT_COMMAND 2>/dev/null)" == "declare -a"* ]]; then
    PROMPT_COMMAND+=(__distrust_alarms)
  else
    PROMPT_COMMAND="${PROMPT_COMMAND:+$PROMPT_COMMAND
}__distrust_alarms"
  fi
fi
`,
	"zsh": `__distrust_alarms() {
  local code=$?
  emulate -L zsh
  if (( SECONDS >= ${__distrust_due:-0} )); then
    typeset -g __distrust_due=$(( SECONDS + ` + hookSeconds + ` ))
    if [[ -x PROGRAM ]]; then PROGRAM alarms --brief --no-input </dev/null 2>/dev/null || :; fi
  fi
  return $code
}
typeset -ga precmd_functions
precmd_functions=("${(@)precmd_functions:#__distrust_alarms}" __distrust_alarms)
`,
	"fish": `function __distrust_alarms --on-event fish_prompt
    set -l code $status
    set -l now (date +%s 2>/dev/null; or echo 0)
    if not set -q __distrust_due; or test "$now" -ge "$__distrust_due"
        set -g __distrust_due (math "$now + ` + hookSeconds + `")
        if test -x PROGRAM
            PROGRAM alarms --brief --no-input </dev/null 2>/dev/null
        end
    end
    return $code
end
`,
}

// hookShells are the shells that there is a hook for.
func hookShells() []string { return []string{"bash", "zsh", "fish"} }

// hook prints the prompt hook of a shell.
func (in *Invocation) hook(shell string) (Exit, error) {
	if !slices.Contains(hookShells(), shell) {
		return Usage, usagef("%q is no shell that there is a hook for: %s", shell, strings.Join(hookShells(), ", "))
	}
	program, err := in.Env.Executable()
	if err != nil {
		return Failed, err
	}
	quoted, ok := render.Command(render.Word(program))
	if !ok {
		return Failed, fmt.Errorf("the program lies at %q, which cannot be quoted for every shell", program)
	}
	_, err = io.WriteString(in.Env.Stdout, strings.ReplaceAll(hooks[shell], "PROGRAM", quoted))
	return Done, err
}
