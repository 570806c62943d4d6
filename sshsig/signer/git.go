package signer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/sshsig"
)

// commandTimeout bounds git and the user's own key command.
const commandTimeout = 10 * time.Second

// gitSettings is what git is told about signing with ssh keys.
type gitSettings struct {
	format     string // gpg.format
	signingKey string // user.signingKey
	keyCommand string // gpg.ssh.defaultKeyCommand
	program    string // gpg.ssh.program; "" is ssh-keygen
}

// gitPattern selects the settings of gitSettings; git writes their names in lower case.
const gitPattern = `^(gpg\.format|user\.signingkey|gpg\.ssh\.(defaultkeycommand|program))$`

// readGitSettings asks the git program, which alone knows includes and conditions. No git and no
// settings are no error. Without src.Dir no repository is looked at, so that a folder that the user
// happens to stand in cannot name a command to run.
func (src Sources) readGitSettings(ctx context.Context) (gitSettings, error) {
	git, err := src.program(src.Git, "git")
	if err != nil {
		return gitSettings{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	env := src.environment()
	if src.Dir == "" {
		env = append(env, "GIT_DIR="+os.DevNull)
	}
	out, err := output(ctx, env, src.Dir, git, "config", "-z", "--get-regexp", gitPattern)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return gitSettings{}, nil // nothing is set
	}
	if err != nil {
		return gitSettings{}, fmt.Errorf("asking git for its settings: %w", err)
	}
	var s gitSettings
	for setting := range strings.SplitSeq(string(out), "\x00") {
		name, value, _ := strings.Cut(setting, "\n")
		switch name { // the last one counts
		case "gpg.format":
			s.format = value
		case "user.signingkey":
			s.signingKey = value
		case "gpg.ssh.defaultkeycommand":
			s.keyCommand = value
		case "gpg.ssh.program":
			s.program = value
		}
	}
	return s, nil
}

// defaultKey runs gpg.ssh.defaultKeyCommand and reads the public key in its first line.
func (src Sources) defaultKey(ctx context.Context, command string) (sshsig.Key, string, error) {
	words, err := splitCommand(command)
	if err != nil {
		return sshsig.Key{}, "", err
	}
	program, err := src.program(words[0], "")
	if err != nil {
		return sshsig.Key{}, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	out, err := output(ctx, src.environment(), src.Dir, program, words[1:]...)
	if err != nil {
		return sshsig.Key{}, "", err
	}
	line, _, _ := strings.Cut(string(out), "\n")
	key, comment, err := sshsig.ParseAuthorizedKey(strings.TrimPrefix(line, "key::"))
	if err != nil {
		return sshsig.Key{}, "", fmt.Errorf("its first line is no key: %w", err)
	}
	return key, comment, nil
}

// splitCommand splits a command into words as git does: blanks, single and double quotes, and the
// backslash outside single quotes. No shell is involved.
func splitCommand(command string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote byte
	inWord := false
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case quote == 0 && strings.IndexByte(" \t\r\n", c) >= 0:
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		case quote == 0 && (c == '\'' || c == '"'):
			quote, inWord = c, true
		case c == quote:
			quote = 0
		default:
			if c == '\\' && quote != '\'' {
				if i++; i == len(command) {
					return nil, errors.New("command ends with a backslash")
				}
				c = command[i]
			}
			word.WriteByte(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, errors.New("command has no closing quote")
	}
	if inWord {
		words = append(words, word.String())
	}
	if len(words) == 0 || words[0] == "" {
		return nil, errors.New("command is empty")
	}
	return words, nil
}

// expand gives a key's path its full form: "~/" is the user's home, and a relative path of git's
// settings is taken from base.
func (src Sources) expand(path, base string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok && src.Home != "" {
		return filepath.Join(src.Home, rest)
	}
	if base != "" && !filepath.IsAbs(path) {
		return filepath.Join(base, path)
	}
	return path
}
