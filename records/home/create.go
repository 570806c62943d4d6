package home

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// Profile is what a head says besides its records and keys.
type Profile struct {
	Name     string   // suggested to followers
	Contact  string   // mailto: or https:
	URL      string   // where followers fetch it; "" while it is not published
	Projects []string // patterns: what this log speaks about
	KeyName  string   // what the owner calls the first key
}

const gitattributes = "* -text\n"

const readme = `# A trust repository

Signed statements about which software is good and which is not, in the format of
distrust. ` + "`head.yml`" + ` names the set of records; ` + "`keys/`" + ` holds its history of keys.

Every file can be checked with OpenSSH alone:

    ssh-keygen -Y verify -f allowed_signers -I LOG -n distrust/record/v1 -s FILE.yml.sig < FILE.yml

where LOG is the value of ` + "`log`" + ` in head.yml.
`

// Create makes a new home with a new log in dir, which must be missing or empty. rand gives the
// salt of the log's id.
func Create(ctx context.Context, dir string, s records.Signer, profile Profile, rand io.Reader, opts Options) (*Home, error) {
	if err := requireEmpty(dir); err != nil {
		return nil, fmt.Errorf("creating home %s: %w", dir, err)
	}
	tree, err := gitstore.InitWorktree(dir, Branch)
	if err != nil {
		return nil, fmt.Errorf("creating home %s: %w", dir, err)
	}
	h := &Home{tree: tree}
	if err := h.first(ctx, s, profile, rand, opts); err != nil {
		tree.Close()
		// Half a home would pass for one that is broken; the folder was ours alone.
		return nil, errors.Join(fmt.Errorf("creating home %s: %w", dir, err), os.RemoveAll(dir))
	}
	return h, nil
}

// first commits the head of seq 1.
func (h *Home) first(ctx context.Context, s records.Signer, profile Profile, rand io.Reader, opts Options) error {
	name := profile.KeyName
	if name == "" {
		name = s.Key().Type()
	}
	doc := records.FirstHead(s.Key(), records.NewSalt(rand), opts.Now, func(doc *schema.Head) {
		doc.Keys[0].Name = name
		profile.apply(doc)
	})
	_, files, err := sealState(ctx, s, set{}, doc)
	if err != nil {
		return err
	}
	files[".gitattributes"] = []byte(gitattributes)
	files["README.md"] = []byte(readme)
	if _, err := h.tree.Commit(ctx, gitstore.Change{Write: files}, "distrust: a new log", opts.signature()); err != nil {
		return err
	}
	return h.reload(ctx)
}

// apply writes the parts of the profile that are set into a head.
func (p Profile) apply(doc *schema.Head) {
	if p.Name != "" {
		doc.Name = p.Name
	}
	if p.Contact != "" {
		doc.Contact = p.Contact
	}
	if p.URL != "" {
		doc.URL = p.URL
	}
	if p.Projects != nil {
		doc.Projects = p.Projects
	}
}

// SetProfile makes a new head that says what is set in the profile. It does nothing when all of
// it is said already, and then returns nil.
func (h *Home) SetProfile(ctx context.Context, s records.Signer, profile Profile, opts Options) (*Written, error) {
	before, after := h.sealed.head.Doc(), h.sealed.head.Doc()
	profile.apply(&after)
	if before.Name == after.Name && before.Contact == after.Contact && before.URL == after.URL && slices.Equal(before.Projects, after.Projects) {
		return nil, nil
	}
	return h.Renew(ctx, s, "distrust: new profile", func(doc *schema.Head) error {
		profile.apply(doc)
		return nil
	}, opts)
}

// requireEmpty refuses to make a home around files that are somebody's.
func requireEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return ErrNotEmpty
	}
	return nil
}
