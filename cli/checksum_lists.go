package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/signature"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/records/trust"
)

// signedList is a checksum list with the signatures over it.
type signedList struct {
	file       string
	list       *signature.List
	signatures []*signature.Signature
	named      bool // by --sums

	checked bool
	results []signature.Result // who signed it, once checked
}

// listsOf are the checksum lists that name a file: the one of --sums, or those that lie beside it with
// a signature. A list that nobody signed says nothing unless the user names it.
func (p *proofs) listsOf(arg string) ([]*signedList, error) {
	if named := p.in.String(sumsFlagName); named != "" {
		l, err := p.namedList(named)
		if err != nil {
			return nil, err
		}
		if _, ok := l.list.Find(subject.NameOf(arg)); !ok {
			return nil, fmt.Errorf("reading %s: it does not name %s", named, subject.NameOf(arg))
		}
		return []*signedList{l}, nil
	}
	if arg == "-" || p.in.Given(sigFlagName) {
		return nil, nil
	}
	var lists []*signedList
	for _, l := range p.listsIn(filepath.Dir(arg)) {
		if filepath.Base(l.file) == filepath.Base(arg) {
			continue
		}
		if _, ok := l.list.Find(subject.NameOf(arg)); ok {
			lists = append(lists, l)
		}
	}
	return lists, nil
}

// namedList is the list of --sums. It is read once, as it may come through a pipe.
func (p *proofs) namedList(file string) (*signedList, error) {
	if p.named == nil {
		l, err := p.parseList(file)
		if err != nil {
			return nil, err
		}
		l.named = true
		p.named = l
	}
	return p.named, nil
}

// listsIn are the signed lists in a folder. Those of the last one are kept: the files of a command mostly
// lie side by side. All together are at most as long as one may be; what is longer vouches for nothing, and so
// does what is no list, or says two things.
func (p *proofs) listsIn(folder string) []*signedList {
	if p.beside != nil && p.folder == folder {
		return p.beside
	}
	p.folder, p.beside = folder, []*signedList{}
	left := int64(signature.MaxList)
	for _, name := range signature.ListNames() {
		file := filepath.Join(folder, name)
		size, there := regularFile(file)
		if !there || size > left {
			continue
		}
		if l, err := p.parseList(file); err == nil && len(l.signatures) > 0 {
			p.beside = append(p.beside, l)
			left -= size
		}
	}
	return p.beside
}

// parseList reads a list and the signatures over it.
func (p *proofs) parseList(file string) (*signedList, error) {
	b, err := readAtMost(file, signature.MaxList)
	if err != nil {
		return nil, err
	}
	l := &signedList{file: file}
	if l.list, err = signature.ParseList(b); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	if within := l.list.Signature(); within != nil {
		l.signatures = append(l.signatures, within)
	}
	if named := p.in.String(sigFlagName); named != "" {
		sig, err := parseSignature(named)
		l.signatures = append(l.signatures, sig)
		return l, err
	}
	detached, err := parseThere(signature.ListSignatureNames(file))
	l.signatures = append(l.signatures, detached...)
	return l, err
}

// whoSigned checks the signatures over a list, once.
func (p *proofs) whoSigned(ctx context.Context, l *signedList) ([]signature.Result, error) {
	if l.checked || len(l.signatures) == 0 {
		return l.results, nil
	}
	if err := p.load(); err != nil {
		return nil, err
	}
	for _, sig := range l.signatures {
		p.askGPG(ctx, sig)
		l.results = append(l.results, l.list.Verify(sig, p.keys, p.in.Env.Now())...)
	}
	l.checked = true
	return l.results, nil
}

// listed is what a list says about a file.
func (p *proofs) listed(ctx context.Context, l *signedList, s subject.Subject) ([]trust.Signature, error) {
	results, err := p.whoSigned(ctx, l)
	if err != nil {
		return nil, err
	}
	name := subject.NameOf(s.Arg)
	found := signaturesFrom(l.list.Means(results, name, s.Digest))
	entry, _ := l.list.Find(name)
	bad := func(t trust.Signature) bool { return t.State == trust.SignatureBad }
	if !entry.Names(s.Digest) && (l.named || slices.ContainsFunc(found, bad)) { // first: what is wrong in one line
		found = slices.Insert(found, 0, trust.Signature{Format: render.Checksums, State: trust.SignatureBad, Detail: l.file + " names other bytes"})
	}
	return found, nil
}
