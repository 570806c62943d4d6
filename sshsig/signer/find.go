package signer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/distributed-trust/distrust/sshsig"
)

// Rung is a place in the order of C7, in words for people.
type Rung string

// The rungs, in their order (C7).
const (
	RungExplicit   Rung = "--key"
	RungStored     Rung = "the stored choice"
	RungGit        Rung = "git's user.signingkey"
	RungGitCommand Rung = "git's gpg.ssh.defaultKeyCommand"
	RungAgent      Rung = "the ssh agent"
	RungFiles      Rung = "~/.ssh"
)

// Choice is what the user has said about the key. Both are "" or name a key in one of these forms:
// the path of a private or public key file, a public key ("TYPE BASE64", also behind "key::" as in
// git's settings), or a fingerprint ("SHA256:…") of a key in the agent or in ~/.ssh.
type Choice struct {
	Explicit string // --key
	Stored   string // the Ref of the candidate that was chosen before
}

// Candidate is a key that can sign, and how to speak of it.
type Candidate struct {
	Signer
	Name string // for people: a path, the agent's comment, or the fingerprint; foreign text
	Ref  string // names this key as Choice.Explicit and Choice.Stored do
	Rung Rung
}

// Find returns the candidates of the first rung that has any (C7): --key, the stored choice, git's
// user.signingkey, gpg.ssh.defaultKeyCommand, the agent's keys, the key files of ~/.ssh. Several
// candidates are for the user to choose from. It asks for no passphrase. A key that was named and
// cannot be used is an *UnusableError and ends the search; nothing found is a *NoKeyError.
func Find(ctx context.Context, src Sources, choice Choice) ([]Candidate, error) {
	f := finder{src: src}
	rungs := []func(context.Context) ([]Candidate, error){
		func(ctx context.Context) ([]Candidate, error) { return f.chosen(ctx, RungExplicit, choice.Explicit) },
		func(ctx context.Context) ([]Candidate, error) { return f.chosen(ctx, RungStored, choice.Stored) },
		f.git,
		f.agent,
		f.files,
	}
	for _, rung := range rungs {
		found, err := rung(ctx)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("finding a key: %w", ctx.Err())
		}
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, &NoKeyError{Tried: f.tried}
}

// finder is one search.
type finder struct {
	src   Sources
	tried []string
	asked *gitSettings // what git said; nil: not asked yet
}

// settings asks git once.
func (f *finder) settings(ctx context.Context) (gitSettings, error) {
	if f.asked != nil {
		return *f.asked, nil
	}
	settings, err := f.src.readGitSettings(ctx)
	if err != nil {
		return gitSettings{}, err
	}
	f.asked = &settings
	return settings, nil
}

// pass notes why a rung gave nothing.
func (f *finder) pass(rung Rung, format string, args ...any) {
	f.tried = append(f.tried, string(rung)+": "+fmt.Sprintf(format, args...))
}

// chosen is the rung of a key that the user named.
func (f *finder) chosen(ctx context.Context, rung Rung, named string) ([]Candidate, error) {
	if named == "" {
		return nil, nil
	}
	return f.resolve(ctx, rung, named, "")
}

// git is the two rungs that git's settings make.
func (f *finder) git(ctx context.Context) ([]Candidate, error) {
	settings, err := f.settings(ctx)
	if err != nil {
		f.pass(RungGit, "%v", err)
		return nil, nil
	}
	if settings.format == "ssh" && settings.signingKey != "" {
		base := f.src.Dir
		if base == "" {
			base = f.src.Home
		}
		return f.resolve(ctx, RungGit, settings.signingKey, base)
	}
	f.pass(RungGit, "no ssh key is set")
	if settings.keyCommand == "" {
		return nil, nil
	}
	key, comment, err := f.src.defaultKey(ctx, settings.keyCommand)
	if err != nil {
		f.pass(RungGitCommand, "%v", err)
		return nil, nil
	}
	c, err := f.literal(ctx, key, comment)
	if err != nil {
		return nil, &UnusableError{Rung: RungGitCommand, Named: key.Fingerprint(), Err: err}
	}
	c.Rung = RungGitCommand
	return []Candidate{c}, nil
}

// agent is the rung of all keys that the agent holds.
func (f *finder) agent(ctx context.Context) ([]Candidate, error) {
	if f.src.AgentSocket == "" {
		f.pass(RungAgent, "there is none")
		return nil, nil
	}
	keys, refused, err := AgentKeys(ctx, f.src.AgentSocket)
	if err != nil {
		f.pass(RungAgent, "%v", err)
		return nil, nil
	}
	if len(keys) == 0 {
		f.pass(RungAgent, "it holds no key that can be used (%d others)", refused)
	}
	found := make([]Candidate, 0, len(keys))
	for _, k := range keys {
		found = append(found, f.fromAgent(k))
	}
	return found, nil
}

// files is the rung of the key files that ssh itself tries.
func (f *finder) files(ctx context.Context) ([]Candidate, error) {
	if f.src.Home == "" {
		f.pass(RungFiles, "there is no home folder")
		return nil, nil
	}
	var found []Candidate
	for _, path := range f.src.identityFiles() {
		file, err := readKeyFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		var s Signer
		if err == nil {
			s, err = f.src.fromRead(ctx, file)
		}
		if err != nil {
			f.pass(RungFiles, "%v", err)
			continue
		}
		found = append(found, f.candidate(RungFiles, s, path))
	}
	if len(found) == 0 {
		f.pass(RungFiles, "no key file that can be used")
	}
	return found, nil
}

// identityFiles are the names that C7 looks at; the security keys' forms go with their kinds.
func (src Sources) identityFiles() []string {
	if src.Home == "" {
		return nil
	}
	var paths []string
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk"} {
		paths = append(paths, filepath.Join(src.Home, ".ssh", name))
	}
	return paths
}

// resolve finds the one key that text names.
func (f *finder) resolve(ctx context.Context, rung Rung, text, base string) ([]Candidate, error) {
	c, err := f.lookUp(ctx, text, base)
	if err != nil {
		return nil, &UnusableError{Rung: rung, Named: text, Err: err}
	}
	c.Rung = rung
	return []Candidate{c}, nil
}

// lookUp tells the forms of a key's name apart (see Choice).
func (f *finder) lookUp(ctx context.Context, text, base string) (Candidate, error) {
	if strings.HasPrefix(text, "SHA256:") {
		return f.fingerprint(ctx, text)
	}
	literal, certain := strings.CutPrefix(text, "key::")
	key, comment, err := sshsig.ParseAuthorizedKey(literal)
	if err == nil {
		return f.literal(ctx, key, comment)
	}
	path := f.src.expand(text, base)
	if _, statErr := os.Stat(path); certain || (statErr != nil && looksLikeKey(text)) {
		return Candidate{}, err
	}
	s, err := FromKeyFile(ctx, f.src, path)
	if errors.Is(err, ErrNoKey) {
		if key, pubErr := readPublicFile(path); pubErr == nil {
			s, err = f.viaProgram(ctx, path, key, err)
		}
	}
	if err != nil {
		return Candidate{}, err
	}
	return f.candidate("", s, path), nil
}

// looksLikeKey keeps a mistyped public key from being called a missing file.
func looksLikeKey(text string) bool {
	kind, _, several := strings.Cut(text, " ")
	return several && (strings.HasPrefix(kind, "ssh-") || strings.HasPrefix(kind, "ecdsa-") || strings.HasPrefix(kind, "sk-"))
}

// literal finds who can sign for a public key: the agent, a key file of ~/.ssh, or the program that
// git runs in place of ssh-keygen.
func (f *finder) literal(ctx context.Context, key sshsig.Key, comment string) (Candidate, error) {
	_, err := FromAgent(ctx, f.src, key)
	if err == nil {
		return f.fromAgent(AgentKey{Key: key, Comment: comment}), nil
	}
	for _, path := range f.src.identityFiles() {
		file, fileErr := readKeyFile(path)
		if fileErr != nil || file.key != key {
			continue
		}
		s, err := f.src.fromRead(ctx, file)
		if err != nil {
			return Candidate{}, err
		}
		return f.candidate("", s, path), nil
	}
	s, err := f.viaProgram(ctx, "", key, err)
	if err != nil {
		return Candidate{}, err
	}
	return Candidate{Signer: s, Name: nameOf(key, comment), Ref: "key::" + key.String()}, nil
}

// viaProgram leaves a key that nothing else can sign for to gpg.ssh.program, which may know of keys
// that no agent shows; without such a program the error stays otherwise.
func (f *finder) viaProgram(ctx context.Context, path string, key sshsig.Key, otherwise error) (Signer, error) {
	settings, err := f.settings(ctx)
	if err != nil || settings.program == "" {
		return nil, otherwise
	}
	return f.src.viaKeygen(f.src.expand(settings.program, ""), path, key)
}

// fingerprint finds a key by its fingerprint, in the agent before the files.
func (f *finder) fingerprint(ctx context.Context, text string) (Candidate, error) {
	if f.src.AgentSocket != "" {
		keys, _, err := AgentKeys(ctx, f.src.AgentSocket)
		if err != nil && ctx.Err() != nil {
			return Candidate{}, err
		}
		for _, k := range keys {
			if k.Key.Fingerprint() == text {
				return f.fromAgent(k), nil
			}
		}
	}
	for _, path := range f.src.identityFiles() {
		file, err := readKeyFile(path)
		if err != nil || file.key.Fingerprint() != text {
			continue
		}
		s, err := f.src.fromRead(ctx, file)
		if err != nil {
			return Candidate{}, err
		}
		return f.candidate("", s, path), nil
	}
	return Candidate{}, fmt.Errorf("%w: neither the ssh agent nor ~/.ssh has it", ErrNoKey)
}

// fromAgent makes the candidate of an agent's key.
func (f *finder) fromAgent(k AgentKey) Candidate {
	return Candidate{
		Signer: &agentSigner{socket: f.src.AgentSocket, key: k.Key},
		Name:   nameOf(k.Key, k.Comment),
		Ref:    "key::" + k.Key.String(),
		Rung:   RungAgent,
	}
}

// candidate makes the candidate of a key file, also when the agent signs for it.
func (f *finder) candidate(rung Rung, s Signer, path string) Candidate {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	name := path
	if rest, err := filepath.Rel(f.src.Home, path); err == nil && f.src.Home != "" && filepath.IsLocal(rest) {
		name = "~/" + filepath.ToSlash(rest)
	}
	return Candidate{Signer: s, Name: name, Ref: path, Rung: rung}
}

// nameOf is what people call a key that lies in no file.
func nameOf(key sshsig.Key, comment string) string {
	if comment == "" {
		return key.Fingerprint()
	}
	return comment
}
