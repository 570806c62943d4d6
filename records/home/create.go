package home

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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

const readme = `# A trust repository

Signed statements about which software is good and which is not, in the format of
distrust. ` + "`head.yml`" + ` names the set of records; ` + "`keys/`" + ` holds its history of keys.

Every file can be checked with OpenSSH alone:

    ssh-keygen -Y verify -f allowed_signers -I LOG -n distrust/record/v1 -s FILE.yml.sig < FILE.yml

where LOG is the value of ` + "`log`" + ` in head.yml.
`

// Create makes a new home with a new log in dir, which must be missing or empty; else the error is
// [ErrNotEmpty]. rand gives the salt of the log's id. After an error nothing is left behind.
func Create(ctx context.Context, dir string, s records.Signer, profile Profile, rand io.Reader, opts Options) (*Home, error) {
	h, err := create(ctx, dir, s, profile, rand, opts)
	if err != nil {
		return nil, fmt.Errorf("creating home %s: %w", dir, err)
	}
	return h, nil
}

func create(ctx context.Context, dir string, s records.Signer, profile Profile, rand io.Reader, opts Options) (*Home, error) {
	undo, err := requireEmpty(dir)
	if err != nil {
		return nil, err
	}
	h, err := commitFirst(ctx, dir, s, profile, rand, opts)
	if err != nil {
		return nil, errors.Join(err, undo())
	}
	return h, nil
}

// commitFirst signs and commits the head of seq 1.
func commitFirst(ctx context.Context, dir string, s records.Signer, profile Profile, rand io.Reader, opts Options) (*Home, error) {
	doc := records.FirstHead(s.Key(), records.NewSalt(rand), opts.Now, func(doc *schema.Head) {
		doc.Keys[0].Name = profile.KeyName
		if profile.KeyName == "" {
			doc.Keys[0].Name = s.Key().Type()
		}
		profile.apply(doc)
	})
	head, err := records.SealHead(ctx, doc, s)
	if err != nil {
		return nil, err
	}
	change := headChange(head, nil, []records.Head{head}, nil)
	change.Write[records.GitAttributes] = []byte(records.GitAttributesText)
	change.Write[records.Readme] = []byte(readme)
	tree, err := gitstore.InitWorktree(dir, Branch)
	if err != nil {
		return nil, err
	}
	h := &Home{tree: tree}
	if _, err = tree.Commit(ctx, change, "distrust: a new log", opts.signature()); err == nil {
		err = h.reload(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, tree.Close())
	}
	h.first = h.sealed
	return h, nil
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

// requireEmpty refuses to make a home around files that are somebody's, and makes the folder when it
// is missing. undo takes away what was put into it since, and the folder if it was made.
func requireEmpty(dir string) (undo func() error, err error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return func() error { return os.RemoveAll(dir) }, os.MkdirAll(dir, 0o700)
	case err != nil:
		return nil, err
	case len(entries) > 0:
		return nil, ErrNotEmpty
	}
	return func() error {
		entries, err := os.ReadDir(dir)
		for _, e := range entries {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
		return err
	}, nil
}
