package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/records/source"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// patient is a repository that doctor looks over as a stranger.
type patient struct {
	findings
	in  *Invocation
	url string
	saw *source.Published
}

// lookOver fetches a repository into a temporary place and says what a stranger gets. Nothing of
// this machine plays a part but its keys and known hosts for reaching it. What a stranger would
// refuse ends as distrust follow would, after what else can be said.
func lookOver(ctx context.Context, in *Invocation, operand string) (exit Exit, err error) {
	address, err := remoteURL(operand)
	if err != nil {
		return Failed, err
	}
	insecure := in.Bool(insecureFlagName)
	if err := source.CheckURL(address, insecure); err != nil {
		return Failed, err
	}
	if err := wholeHistory(address); err != nil {
		return Failed, err
	}
	child, err := in.Env.fetchChild()
	if err != nil {
		return Failed, err
	}
	dir, err := os.MkdirTemp("", "distrust-doctor-")
	if err != nil {
		return Failed, fmt.Errorf("making a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	m := &machine{env: in.Env, in: in}
	progress := in.fetchProgress()
	p := &patient{in: in, url: address}
	saw, refused := source.Look(ctx, source.Dirs{
		Data: filepath.Join(dir, "data"), State: filepath.Join(dir, "state"), Cache: filepath.Join(dir, "cache"),
	}, source.Spec{Name: address, URL: address, Insecure: insecure}, source.Options{
		Now: in.Env.Now(), Access: m.sourceAccess(), Progress: progress.event, Child: child,
	})
	progress.close()
	if refused == nil {
		p.saw = saw
		p.examine()
	} else {
		p.fault("repository", address, refused)
	}
	if isLocalPath(operand) && !hostile(refused) { // what attacks readers is opened by no process but the one for that
		p.check("work-tree", func(check string) string { return p.workTree(ctx, check) })
	}
	if err := p.print(in, address); err != nil {
		return Failed, err
	}
	return p.exit(), refused
}

// hostile says whether a repository was refused for what it would do to its reader.
func hostile(refused error) bool {
	var attack *source.HostileError
	var limit *source.LimitError
	return errors.As(refused, &attack) || errors.As(refused, &limit)
}

// wholeHistory refuses a shallow clone, as CI makes them: what a stranger gets is not in it.
func wholeHistory(address string) error {
	if !isLocalPath(address) {
		return nil
	}
	for _, file := range []string{filepath.Join(address, ".git", "shallow"), filepath.Join(address, "shallow")} {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return fail(Failed, fmt.Errorf("%s is a shallow clone: a part of its history is not there", address),
				"fetch the rest", append(render.Words("git", "-C"), render.File(address, ""), render.Word("fetch"), render.Word("--unshallow"))...)
		}
	}
	return nil
}

// examine says what a stranger sees of a repository that they would accept.
func (p *patient) examine() {
	p.check("head", p.head)
	p.check("records", p.records)
	p.check("keys", p.keys)
	p.check("files", p.files)
	p.check("size", p.size)
}

// head looks at the published state (F5.5) and at what it says about itself.
func (p *patient) head(check string) string {
	o := p.saw.Offer
	seal := render.Hint{Command: render.Words("distrust", "seal")}
	p.ends(check, o.Expires, p.in.Env.Now(), seal)
	if o.Unsealed > 0 {
		text := fmt.Sprintf("%s above it not sealed, and so not read", count(o.Unsealed, "commit"))
		if p.saw.Tip != nil {
			text += ": " + oneLine(p.saw.Tip)
		}
		p.say(note, check, "", text, seal)
	}
	if o.Head.URL == "" {
		p.say(note, check, "", "it names no url: followers do not learn where it moves", render.Hint{
			Command: render.Words("distrust", "init", "--publish-as", "URL"),
		})
	}
	if o.Head.Contact == "" {
		p.say(note, check, "", "it names no contact: nobody can tell the owner about a mistake", render.Hint{
			Command: render.Words("distrust", "init", "--contact", "mailto:NAME@HOST"),
		})
	}
	return fmt.Sprintf("head %d of %s, good until %s; its root is that of the files, %s in the chain from the first",
		o.Head.Seq, render.Date(o.Head.Issued), render.Date(o.Expires), count(len(p.saw.Heads), "signed head"))
}

// records says what of the set is not read, and what is void (F5.8).
func (p *patient) records(check string) string {
	p.skipped(check, p.saw.Skipped, "nobody reads it: mend it or remove it, then: distrust seal")
	void := 0
	for _, r := range p.saw.Records {
		if p.saw.Log.Void(r) {
			void++
		}
	}
	if void > 0 {
		p.say(note, check, "", fmt.Sprintf("%s void: signed by a compromised key that the owner does not stand by", count(void, "record")), render.Hint{})
	}
	return fmt.Sprintf("%s, every signature good", count(len(p.saw.Records), "record"))
}

// keys says who may sign.
func (p *patient) keys(check string) string {
	doc := p.saw.Offer.Head
	states := map[schema.KeyState]int{}
	names := map[string]bool{}
	for _, k := range doc.Keys {
		states[k.State]++
		if k.Name != "" && names[k.Name] {
			p.say(note, check, k.Name, fmt.Sprintf("several keys are named %q", k.Name), render.Hint{})
		}
		names[k.Name] = true
		if key, err := sshsig.ParseKey(k.Key); err == nil && k.State == schema.Compromised {
			p.say(note, check, key.Fingerprint(), fmt.Sprintf("%s (%s) is compromised: what it signed is void", key.Fingerprint(), k.Name), render.Hint{})
		}
	}
	p.fewKeys(check, p.saw.Heads[len(p.saw.Heads)-1], render.Words("distrust", "key", "add", "KEY"))
	return fmt.Sprintf("%d active, %d retired, %d compromised; the head is signed by %s",
		states[schema.Active], states[schema.Retired], states[schema.Compromised], p.saw.Offer.Fingerprint)
}

// files says which files beside the set are not what stock tools need (F4).
func (p *patient) files(check string) string {
	for _, r := range records.Beside(p.saw.Offer.Head, p.saw.Beside) {
		p.oddFile(check, r, hintf("in the home: distrust doctor --%s", fixFlagName))
	}
	return "allowed_signers, .gitattributes and README.md are what they should be"
}

// nearLimit is which part of a limit is worth a note, in percent.
const nearLimit = 80

// size holds the set to what a follower takes without settings of their own (F7).
func (p *patient) size(check string) string {
	limits := source.DefaultLimits()
	for _, part := range []struct {
		what, option string
		is, most     int64
	}{
		{"files", "files", int64(p.saw.Files), int64(limits.Files)},
		{"bytes", "bytes", p.saw.Bytes, limits.SetBytes},
		{"public follows", "edges", p.edges(), int64(limits.Edges)},
	} {
		if part.is*100 > part.most*nearLimit {
			p.say(note, check, part.option, fmt.Sprintf("%d of %d %s that a follower takes", part.is, part.most, part.what), render.Hint{})
		}
	}
	return fmt.Sprintf("%s, %s", count(p.saw.Files, "file"), count(int(p.saw.Bytes), "byte"))
}

func (p *patient) edges() int64 {
	n := int64(0)
	for _, r := range p.saw.Records {
		if r.Kind() == schema.KindFollow {
			n++
		}
	}
	return n
}

// workTree says what in a folder is not committed, or not sealed. A bare repository has none.
func (p *patient) workTree(ctx context.Context, check string) string {
	h, err := home.Open(ctx, p.url)
	if err != nil {
		return "" // said by what a stranger sees
	}
	defer h.Close()
	if err := h.Ready(); err != nil {
		p.say(note, check, p.url, oneLine(err), render.Hint{})
	}
	found, err := h.Pending(ctx, nil)
	if err != nil {
		p.fault(check, p.url, err)
		return ""
	}
	p.pending(check, found, render.Hint{Command: render.Words("distrust", "seal", "--home", p.url)})
	return "nothing in it waits to be sealed"
}
