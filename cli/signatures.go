package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/signature"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/records/trust"
)

const (
	sigFlagName  = "sig"
	sumsFlagName = "sums"
	certFlagName = "cert"
)

// signatureFlags name what else than the files beside a file says who signed it.
func signatureFlags() []urfave.Flag {
	return []urfave.Flag{
		&urfave.StringFlag{Name: sigFlagName, Usage: "look at the signature in `FILE` only, of the file, or of the list of --sums"},
		&urfave.StringFlag{Name: sumsFlagName, Usage: "the file is listed in the checksum list `FILE`"},
		textsFlag(certFlagName, "a public key or certificate to check signatures with is in `FILE` (repeatable)"),
	}
}

// proofWords are the flags of signatures as they were given, for a command that asks the same again.
func (in *Invocation) proofWords() []render.Arg {
	var words []render.Arg
	for _, flag := range []string{sigFlagName, sumsFlagName} {
		if file := in.String(flag); file != "" {
			words = append(words, render.Word("--"+flag), render.File(file, ""))
		}
	}
	for _, file := range in.Strings(certFlagName) {
		words = append(words, render.Word("--"+certFlagName), render.File(file, ""))
	}
	return words
}

// signatureText is what check and why say about signatures.
const signatureText = `A signature beside the file (FILE.asc, .sig, .minisig, .sign) and a checksum list that names it (SHA256SUMS, with its ` +
	`signature) are verified: OpenSSH, OpenPGP, minisign and signify. Who signed counts when the key is trusted to sign for the project of --for.`

// proofs finds and checks signatures for the files of one command.
type proofs struct {
	in      *Invocation
	world   *world
	project string
	version string
	keys    *signature.Keys
	signers bool            // the keys of signer records are among them
	gpg     map[string]bool // names of keys that gpg was asked for

	named  *signedList   // the list of --sums, once read
	folder string        // whose lists are at hand
	beside []*signedList // nil: of none
	sha512 bool          // SHA-512 is computed, too
}

// proofsFor looks at signatures of files that are what --for says. The caller closes its world.
func (in *Invocation) proofsFor(ctx context.Context) (*proofs, error) {
	project, version, err := in.project()
	if err != nil {
		return nil, err
	}
	w, err := in.world(ctx)
	if err != nil {
		return nil, err
	}
	p, err := w.proofs(in, project)
	if err != nil {
		w.close()
		return nil, err
	}
	p.version = version
	return p, nil
}

// proofs looks at signatures in a world, where keys that sign a project are known.
func (w *world) proofs(in *Invocation, project string) (*proofs, error) {
	files := in.Command.Ends == AtDashes // else all but the first belong to another program
	if in.Given(sigFlagName) && files && len(in.Operands) > 1 && !in.Given(sumsFlagName) {
		return nil, usagef("--sig goes with one file")
	}
	if in.Given(sigFlagName) || in.Given(sumsFlagName) {
		for i, arg := range in.Operands {
			if _, is, _ := subject.FromDigest(arg); is && (files || i == 0) {
				return nil, usagef("--sig and --sums go with files: %s has no bytes and no name to look at", arg)
			}
		}
	}
	p, err := in.proofs()
	if err != nil {
		return nil, err
	}
	p.world, p.project = w, project
	return p, nil
}

// proofs begins with the keys of --cert alone.
func (in *Invocation) proofs() (*proofs, error) {
	p := &proofs{in: in, keys: &signature.Keys{}, gpg: map[string]bool{}}
	for _, file := range in.Strings(certFlagName) {
		b, err := readAtMost(file, signature.MaxCertificates)
		if err == nil {
			err = p.keys.Add(b)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
	}
	return p, nil
}

// load adds the keys of signer records for the project, once there is a signature to check.
func (p *proofs) load() error {
	w := p.world
	if p.signers || w.generation == nil {
		return nil
	}
	p.signers = true
	statements, err := w.generation.Signers(p.project)
	if err != nil {
		return err
	}
	// There is an end to how many certificates are taken: what the user says comes first, then those
	// whom the user follows, and nobody can crowd them out.
	slices.SortStableFunc(statements, func(a, b trust.Statement) int { return cmp.Compare(w.distance(a.Log), w.distance(b.Log)) })
	for _, st := range statements {
		for _, s := range st.Subjects {
			if s.Signer == "" {
				continue
			}
			// A certificate that is of no use makes its key one that is not at hand, and nothing worse.
			_ = p.keys.AddSigner(s.Signer, s.Cert)
		}
	}
	return nil
}

// distance is how far a log is from the user: their own, followed, or reached through others.
func (w *world) distance(log string) int {
	switch {
	case slices.Contains(w.compiled.Own, log):
		return 0
	case slices.ContainsFunc(w.compiled.Follows, func(f trust.Follow) bool { return f.Log == log }):
		return 1
	}
	return 2
}

// read reads one operand, and what its signatures say.
func (p *proofs) read(ctx context.Context, arg string) (subject.Subject, []trust.Signature, error) {
	return p.readInto(ctx, arg, nil)
}

// readInto is read that writes every byte to a copy as well, in the same pass; nil is none.
func (p *proofs) readInto(ctx context.Context, arg string, copied io.Writer) (subject.Subject, []trust.Signature, error) {
	if _, is, _ := subject.FromDigest(arg); is {
		s, err := p.in.read(ctx, arg, subject.Options{})
		return s, nil, err
	}
	beside, err := p.signaturesOf(arg)
	if err != nil {
		return subject.Subject{}, nil, err
	}
	lists, err := p.listsOf(arg)
	if err != nil {
		return subject.Subject{}, nil, err
	}
	if len(beside) > 0 {
		if err := p.load(); err != nil {
			return subject.Subject{}, nil, err
		}
	}
	for _, sig := range beside {
		p.askGPG(ctx, sig)
	}
	opts := subject.Options{SHA512: p.sha512}
	var checks []*signature.Check
	var tee []io.Writer
	name := subject.NameOf(arg)
	if arg == "-" {
		name = "" // which no signature can contradict
	}
	for _, sig := range beside {
		check := sig.Check(p.keys, name, p.in.Env.Now())
		checks, tee = append(checks, check), append(tee, check)
	}
	if copied != nil {
		tee = append(tee, copied)
	}
	if len(tee) > 0 {
		opts.Tee = io.MultiWriter(tee...)
	}
	for _, l := range lists {
		if entry, _ := l.list.Find(subject.NameOf(arg)); entry.Digest.SHA256 == "" {
			opts.SHA512 = true
		}
	}
	s, err := p.in.read(ctx, arg, opts)
	var found []trust.Signature
	for _, check := range checks {
		found = append(found, signaturesFrom(check.Results())...)
	}
	if err != nil {
		return s, found, err
	}
	for _, l := range lists {
		means, err := p.listed(ctx, l, s)
		if err != nil {
			return s, nil, err
		}
		found = append(found, means...)
	}
	return s, found, nil
}

// signaturesFrom are results in the words of the decision.
func signaturesFrom(results []signature.Result) []trust.Signature {
	var found []trust.Signature
	for _, r := range results {
		found = append(found, trust.Signature{
			Format: string(r.Format), Signer: r.Signer, State: trust.SignatureState(r.State), Detail: r.Detail,
			CallsItself: r.CallsItself,
		})
	}
	return found
}

// signaturesOf are the signatures that lie beside a file, or the one of --sig.
func (p *proofs) signaturesOf(arg string) ([]*signature.Signature, error) {
	if named := p.in.String(sigFlagName); named != "" {
		if p.in.Given(sumsFlagName) {
			return nil, nil // it is the list's
		}
		sig, err := parseSignature(named)
		return []*signature.Signature{sig}, err
	}
	if arg == "-" {
		return nil, nil
	}
	return parseThere(signature.Names(arg))
}

// parseThere reads those of the files that are there and hold a signature of a kind that is known.
func parseThere(names []string) ([]*signature.Signature, error) {
	var found []*signature.Signature
	for _, name := range names {
		if _, there := regularFile(name); !there {
			continue
		}
		sig, err := parseSignature(name)
		if errors.Is(err, signature.ErrUnknownFormat) {
			continue // other tools use these endings too
		}
		if err != nil {
			return nil, err
		}
		found = append(found, sig)
	}
	return found, nil
}

func parseSignature(file string) (*signature.Signature, error) {
	b, err := readAtMost(file, signature.MaxSignature)
	if err != nil {
		return nil, err
	}
	sig, err := signature.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return sig, nil
}

// askGPG brings the user's own OpenPGP keyring in: of the keys that a signature names, once each. No
// gpg, and none of these keys, is no error.
func (p *proofs) askGPG(ctx context.Context, sig *signature.Signature) {
	if sig.Format() != signature.OpenPGP {
		return
	}
	p.exportGPG(ctx, sig.KeyNames()...)
}

// gpgTime is how long gpg may take: it waits for locks on a keyring without end.
const gpgTime = 10 * time.Second

// exportGPG takes keys of these fingerprints or numbers from the user's keyring, once each.
func (p *proofs) exportGPG(ctx context.Context, keys ...string) {
	var names []string
	for _, name := range keys {
		if !p.gpg[name] {
			p.gpg[name] = true
			names = append(names, "0x"+name)
		}
	}
	program, err := p.in.Env.LookPath("gpg")
	if err != nil || len(names) == 0 || !p.hasKeyring() {
		return
	}
	args := append([]string{"--batch", "--no-tty", "--no-auto-key-locate", "--no-auto-key-retrieve", "--export", "--"}, names...)
	ctx, cancel := context.WithTimeout(ctx, gpgTime)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.Env, command.WaitDelay = p.in.Env.Environ(), time.Second // a daemon that it starts may keep the pipe
	var out bytes.Buffer
	command.Stdout = limited{&out, signature.MaxCertificates}
	if command.Run() == nil {
		_ = p.keys.Add(out.Bytes()) // nothing that can be used: the key is not at hand
	}
}

// hasKeyring says whether the user has a folder of GnuPG's: where there is none gpg would make one.
func (p *proofs) hasKeyring() bool {
	folder := p.in.Env.Getenv("GNUPGHOME")
	if folder == "" {
		home, err := p.in.Env.UserHome()
		if err != nil {
			return false
		}
		folder = filepath.Join(home, ".gnupg")
	}
	info, err := os.Stat(folder)
	return err == nil && info.IsDir()
}

// regularFile says whether a file lies there that ends, and its size: what lies beside a file may be
// somebody else's choice, and a pipe would keep a check waiting for ever.
func regularFile(path string) (size int64, there bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	return info.Size(), true
}

// limited is a writer that fails when more is written than may be held. It is no more than a writer:
// whoever can read from a source by themselves, as a bytes.Buffer does, would pass the bound by.
type limited struct {
	held *bytes.Buffer
	most int
}

func (l limited) Write(p []byte) (int, error) {
	if l.held.Len()+len(p) > l.most {
		return 0, io.ErrShortWrite
	}
	return l.held.Write(p)
}

// readAtMost reads a file, and one byte more than it may have when it has more.
func readAtMost(file string, most int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// Some files of the kernel's say that they are empty, and reading them never ends.
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		return nil, nil
	}
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return b, nil
}

// goodSigners are who signed a file, for the journal.
func goodSigners(found []trust.Signature) []string {
	var signers []string
	for _, s := range found {
		if s.State == trust.SignatureGood && !slices.Contains(signers, s.Signer) {
			signers = append(signers, s.Signer)
		}
	}
	return signers
}
