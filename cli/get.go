package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records/download"
	"github.com/distributed-trust/distrust/records/durable"
	"github.com/distributed-trust/distrust/records/subject"
)

const (
	outputFlagName        = "output"
	withSignatureFlagName = "with-signature"
	keepFlagName          = "keep"
)

func getCommand(*Env) *Command {
	return &Command{
		Name: "get", Operands: "URL", Min: 1, Max: 1, Group: Decide,
		Summary: "download a file that gets its name only once it was checked",
		Text: `Downloads over https into a private folder beside the place where the file goes, decides, and only then gives the file ` +
			`its name. A file that is there already is never replaced. What is refused leaves nothing behind, or with --keep ` +
			`FILE.untrusted, to be looked at.` + "\n\n" +
			`Addresses of PyPI, npm, crates.io, the Go proxy, and of releases at GitHub, GitLab and Codeberg say which project and ` +
			`version it is; what is taken from the address is shown, and --for says otherwise.` + "\n\n" + questionText + "\n\n" + signatureText,
		Flags: append(append([]urfave.Flag{
			&urfave.StringFlag{Name: outputFlagName, Aliases: []string{"o"}, Usage: "call it `FILE`, not as the URL does"},
			forFlag(),
			&urfave.BoolFlag{Name: withSignatureFlagName, Usage: "also download the signatures and checksum lists that lie beside it there"},
			&urfave.BoolFlag{Name: keepFlagName, Usage: "keep what is refused as FILE.untrusted"},
			&urfave.BoolFlag{Name: anywayFlagName, Usage: "take it whatever the verdict, and say so"},
			maxSizeFlag(),
			jsonFlag(), quietFlag(),
		}, signatureFlags()...), keyFlags()...),
		Examples: []Example{
			{"distrust get https://example.org/install.sh", "into the current folder"},
			{"distrust get --with-signature --for generic:jq https://example.org/jq-1.8.tgz", "with its .asc or SHA256SUMS"},
			{"distrust get https://github.com/casey/just/archive/refs/tags/1.40.0.tar.gz", "for github:casey/just@1.40.0"},
		},
		Exits: []Exit{Unknown, Distrusted, Mismatch, NotSetUp},
		Run:   runGet,
	}
}

// getting is one download on its way to its name.
type getting struct {
	in               *Invocation
	url              *url.URL
	target           string // where it goes, as the user sees it
	name             string // what it is called where it comes from: signatures and lists know it by that
	project, version string
	maxBytes         int64
	folder           string // where it lies until it is decided about; nobody else can look into it
}

// runGet downloads, decides, and puts the file in its place or throws it away.
func runGet(ctx context.Context, in *Invocation) (exit Exit, err error) {
	g, err := in.getting()
	if err != nil {
		return Failed, err
	}
	for _, file := range []string{g.target, g.untrusted()} {
		if err := g.free(file); err != nil {
			return Failed, err
		}
	}
	if err := g.prepare(ctx); err != nil {
		return Failed, err
	}
	// Whose it is can be seen when we are killed and it stays.
	hidden := strings.ToValidUTF8("."+cutBytes(filepath.Base(g.target), 100), "")
	if g.folder, err = os.MkdirTemp(filepath.Dir(g.target), hidden+".distrust-get-*"); err != nil {
		return Failed, fmt.Errorf("making a private folder: %w", err)
	}
	defer func() {
		if left := os.RemoveAll(g.folder); left != nil {
			in.Env.warn("%v", left)
		}
	}()
	beside, err := g.download(ctx)
	if err != nil {
		return Failed, err
	}
	return g.decide(ctx, beside)
}

// getting reads the flags and the address.
func (in *Invocation) getting() (*getting, error) {
	at, err := download.ParseURL(in.Operands[0])
	if err != nil {
		return nil, err
	}
	g := &getting{in: in, url: at, target: in.String(outputFlagName)}
	published := subject.FromURL(at)
	switch {
	case g.target == "-":
		return nil, usagef("get makes a file; what goes on through a pipe is for distrust pipe and distrust cat")
	case in.Bool(withSignatureFlagName) && in.Given(sigFlagName):
		return nil, usagef("--%s looks for what --%s names already", withSignatureFlagName, sigFlagName)
	case g.target == "" && published.File == "":
		return nil, fail(Usage, errors.New("the address gives the file no name that is safe to use"), "name it with -o FILE")
	case g.target == "":
		g.target = published.File
	}
	if g.name = published.File; g.name == "" {
		g.name = filepath.Base(g.target)
	}
	if g.project, g.version, err = in.project(); err != nil {
		return nil, err
	}
	if g.maxBytes, err = in.maxSize(); err != nil {
		return nil, err
	}
	g.propose(published)
	return g, nil
}

// propose takes project and version from the address where the user names none, and shows them.
func (g *getting) propose(p subject.Published) {
	switch {
	case p.Project == "":
	case g.project == "":
		g.project, g.version = p.Project, p.Version
		g.say("for " + render.Release(g.project, g.version) + ", from the URL; --for says otherwise")
	case g.project != p.Project:
		g.in.Env.warn("the URL is one of %s, not of %s", render.Project(p.Project), render.Project(g.project))
	}
}

// say writes what is good to know.
func (g *getting) say(text string) {
	if !g.in.Bool(quietFlagName) {
		g.in.Env.say(text)
	}
}

// untrusted is what a refused file is kept as.
func (g *getting) untrusted() string { return g.target + subject.Untrusted }

// free refuses a name that is taken: neither a file of the user's nor the evidence of an earlier time is
// ever replaced.
func (g *getting) free(file string) error {
	info, err := os.Lstat(file)
	switch {
	case file == g.untrusted() && !g.in.Bool(keepFlagName), errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return fail(Failed, fmt.Errorf("%s is a folder", file), "name the file in it with -o FILE")
	}
	return taken(file)
}

func taken(file string) error {
	return fail(Failed, fmt.Errorf("%s is there already, and is not replaced", file), "move it away, or use another name with -o FILE")
}

// prepare finds what would keep the file from being decided about before anything is downloaded.
func (g *getting) prepare(ctx context.Context) error {
	w, err := g.in.world(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	if _, err := w.proofs(g.in, g.project); err != nil {
		return err
	}
	for _, flag := range []string{sigFlagName, sumsFlagName} {
		if file := g.in.String(flag); file != "" {
			if _, err := os.Stat(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// download brings the file into the folder, and what may lie beside it when that is asked for. It gives
// the names of the latter.
func (g *getting) download(ctx context.Context) ([]string, error) {
	client := download.NewClient(nil)
	defer client.Close()
	show := g.in.Env.IsTerminal(g.in.Env.Stderr) && !g.in.Stderr.Sentences && !g.in.Bool(quietFlagName)
	progress := terminal.NewProgress(g.in.Env.Stderr, show)
	defer progress.Close()
	bar := progress.Bar(render.Cut(render.Escape(g.name), 30), 0, terminal.Bytes)
	count := counter(bar)
	result, err := client.Get(ctx, g.url, g.file(), download.Options{MaxBytes: g.maxBytes, Progress: func(done, total int64) {
		if total > 0 {
			bar.SetTotal(total)
		}
		count(done)
	}})
	bar.Done()
	if err != nil {
		return nil, err
	}
	var beside []string
	if g.in.Bool(withSignatureFlagName) {
		if beside, err = g.downloadBeside(ctx, client, progress); err != nil {
			return nil, err
		}
	}
	progress.Close()
	if result.From.Host != g.url.Host {
		g.say("it came from " + result.From.Host)
	}
	if other := otherProject(result.From, g.project); other != "" {
		g.in.Env.warn("it came from an address of %s, not of %s", render.Project(other), render.Project(g.project))
	}
	switch {
	case len(beside) > 0:
		g.say("found beside it: " + strings.Join(beside, ", "))
	case g.in.Bool(withSignatureFlagName):
		g.say("no signature and no checksum list was found beside it")
	}
	return beside, nil
}

// otherProject is whose address a redirect led to, when that is not the project that is asked about: one that
// got another name, or whose name somebody else has by now. It is "" when the address does not tell.
func otherProject(from *url.URL, project string) string {
	if p := subject.FromURL(from).Project; project != "" && p != project {
		return p
	}
	return ""
}

// file is where the download lies.
func (g *getting) file() string { return filepath.Join(g.folder, g.name) }

// decide puts the file before the gate, and then in its place, or away.
func (g *getting) decide(ctx context.Context, beside []string) (Exit, error) {
	w, err := g.in.world(ctx) // another one: in a long download there may be news
	if err != nil {
		return Failed, err
	}
	defer w.close()
	proofs, err := w.proofs(g.in, g.project)
	if err != nil {
		return Failed, err
	}
	s, signatures, err := proofs.read(ctx, g.file())
	if err != nil {
		return Failed, err
	}
	if s.Path, err = filepath.Abs(g.target); err != nil {
		return Failed, err
	}
	s.Arg = g.target
	c := candidate{spokenOf: spokenOf{s, signatures}, proofs: proofs}
	c.open = func() (io.ReadCloser, error) { return os.Open(g.file()) }
	var r render.Report
	if g.in.Bool(anywayFlagName) {
		r, err = w.report(g.in, s, c.query(g.project, g.version), "trust")
	} else {
		r, err = g.in.settle(ctx, w, c, g.project, g.version)
	}
	if err = errors.Join(err, ctx.Err()); err != nil {
		return Failed, err
	}
	switch {
	case Exit(r.Exit) == Done:
	case g.in.Bool(anywayFlagName):
		return g.overrule(ctx, w, s, r, beside)
	default:
		return g.refuse(w, r, beside)
	}
	if err := g.place(g.target, beside); err != nil {
		return Failed, err
	}
	w.remember(ctx, g.in, s, r)
	return Done, checkOutput(g.in)(r)
}

// place gives the file its name, and what was found beside it: signatures under the name of the file,
// and lists when they name it.
func (g *getting) place(target string, beside []string) error {
	err := renameNew(g.file(), target)
	if errors.Is(err, fs.ErrExist) {
		return taken(target)
	}
	if err != nil {
		return fmt.Errorf("putting %s in its place: %w", target, err)
	}
	for _, name := range beside {
		to := filepath.Join(filepath.Dir(target), name)
		if ending, ok := strings.CutPrefix(name, g.name); ok {
			to = target + ending
		} else if filepath.Base(g.target) != g.name {
			continue
		}
		err := renameNew(filepath.Join(g.folder, name), to)
		if err != nil && !errors.Is(err, fs.ErrExist) { // what is there stays: it may be the user's own
			return fmt.Errorf("putting %s in its place: %w", to, err)
		}
	}
	return durable.SyncDir(filepath.Dir(target))
}

// renameNew renames a file and never replaces another.
func renameNew(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		return os.Remove(from)
	case errors.Is(err, fs.ErrExist):
		return err
	}
	if _, err := os.Lstat(to); err == nil { // a file system without links
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	return os.Rename(from, to)
}

// cutBytes is at most the first n bytes.
func cutBytes(s string, n int) string { return s[:min(len(s), n)] }
