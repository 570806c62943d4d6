package schema

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// ParseRecord reads a record document: the bytes and nodes of F1, then the fields of F2. The
// file is a name for messages. Every error is an *[Error]; errors.Is(err, [ErrNotUnderstood])
// says that the document needs a newer program.
func ParseRecord(file string, b []byte) (*Record, error) {
	root, refused := parseNodes(file, b, MaxRecordBytes)
	if refused != nil {
		return nil, refused
	}
	r := &reader{file: file}
	rec := &Record{Kind: r.envelope(root, F2)}
	if r.err != nil {
		return nil, r.err
	}
	switch rec.Kind {
	case KindTrust, KindDistrust, KindFollow, KindWithdraw:
	case KindHead, KindPrivate:
		r.fail(field(root, "kind"), F2, "a document of kind %s is not a record", rec.Kind)
		return nil, r.err
	default:
		r.unknown(field(root, "kind"), "kind %s", quote(string(rec.Kind)))
		return nil, r.err
	}
	r.mapping(root, func(name string, key, value *yaml.Node) bool { return r.recordField(rec, name, key, value) })
	if r.err != nil {
		return nil, r.err
	}
	if bad := rec.check(); bad != nil {
		return nil, bad.at(file, root)
	}
	return rec, nil
}

// recordField reads one field of a record into rec; false when format 1 has no such field.
func (r *reader) recordField(rec *Record, name string, key, value *yaml.Node) bool {
	if name == "distrust" || name == "kind" {
		return true
	}
	rule, ok := recordRule(name)
	if !ok {
		return false
	}
	if rule.need(rec.Kind) == never {
		r.fail(key, F2, "a %s record has no field %s", rec.Kind, name)
	}
	switch name {
	case "log":
		rec.Log = r.hex(value)
	case "by":
		rec.By = r.filled(value, F2)
	case "issued":
		rec.Issued = r.time(value)
	case "expires":
		rec.Expires = r.time(value)
	case "project":
		rec.Project = r.filled(value, F2)
	case "version":
		rec.Version = r.filled(value, F2)
	case "subjects":
		rec.Subjects = r.subjects(value)
	case "category":
		rec.Category = Category(r.filled(value, F2))
	case "basis":
		rec.Basis = Basis(r.filled(value, F2))
	case "strength":
		rec.Strength = r.within(value, 1, 100)
	case "reason":
		rec.Reason = r.text(value)
	case "seen":
		rec.Seen = r.ids(value)
	case "source":
		rec.Source = r.source(value)
	case "weight":
		rec.Weight = r.within(value, 1, 100)
	case "depth":
		rec.Depth = r.within(value, 0, 3)
	case "scopes":
		rec.Scopes = r.someTexts(value, F2)
	case "withdraws":
		rec.Withdraws = r.ids(value)
	}
	return true
}

// source reads what a follow record follows.
func (r *reader) source(n *yaml.Node) *FollowSource {
	s := new(FollowSource)
	r.mapping(n, func(name string, _, value *yaml.Node) bool {
		switch name {
		case "log":
			s.Log = r.hex(value)
		case "url":
			s.URL = r.filled(value, F2)
		case "key":
			s.Key = r.filled(value, F2)
		default:
			return false
		}
		return true
	})
	return s
}

// subjects reads the list of subjects.
func (r *reader) subjects(n *yaml.Node) []Subject {
	nodes := r.sequence(n)
	list := make([]Subject, len(nodes))
	for i, node := range nodes {
		list[i] = r.subject(node)
	}
	return list
}

// subject reads one subject. Which fields go together is judged by [Subject] itself, all but
// a size where no file is: Go's zero size cannot tell that it was given.
func (r *reader) subject(n *yaml.Node) Subject {
	s := Subject{Size: -1}
	r.mapping(n, func(name string, _, value *yaml.Node) bool {
		switch name {
		case "file":
			s.File = r.filled(value, F2)
		case "size":
			s.Size = r.integer(value)
			if field(n, "digest") == nil {
				r.fail(value, F2, "a size needs a digest")
			}
		case "digest":
			s.Digest = r.digest(value)
		case "signer":
			s.Signer = r.filled(value, F2)
		case certificateField:
			s.Cert = r.filled(value, F2)
		case "projects":
			s.Pattern = r.someTexts(value, F2)
		case "git":
			s.Git = r.git(value)
		case "release":
			s.Release = r.filled(value, F2)
		case "project":
			s.Project = r.filled(value, F2)
		default:
			return false
		}
		return true
	})
	return s
}

// digest reads a digest set.
func (r *reader) digest(n *yaml.Node) (d Digest) {
	r.mapping(n, func(name string, _, value *yaml.Node) bool {
		switch name {
		case "sha256":
			d.SHA256 = r.hex(value)
		case "sha512":
			d.SHA512 = r.hex(value)
		default:
			return false
		}
		return true
	})
	if d.SHA256 == "" {
		r.fail(n, F2, "a digest needs sha256")
	}
	return d
}

// git reads a git id.
func (r *reader) git(n *yaml.Node) (id GitID) {
	r.mapping(n, func(name string, _, value *yaml.Node) bool {
		switch name {
		case "commit":
			id.Commit = r.hex(value)
		case "tree":
			id.Tree = r.hex(value)
		default:
			return false
		}
		return true
	})
	if (id.Commit == "") == (id.Tree == "") {
		r.fail(n, F2, "git needs exactly one of commit and tree")
	}
	return id
}

// A violation is a rule that the values of a document break, found without its text.
type violation struct {
	rule   Rule
	field  string // of the document
	index  int    // of the item in that field's list; -1 for the field as a whole
	reason string
}

// violated makes a violation of a whole field.
func violated(rule Rule, field, format string, args ...any) *violation {
	return &violation{rule: rule, field: field, index: -1, reason: fmt.Sprintf(format, args...)}
}

// Error lets a violation be the error of a Marshal, where there is no file and line.
func (v *violation) Error() string {
	if v.index >= 0 {
		return fmt.Sprintf("%s[%d]: %s (%s)", v.field, v.index, v.reason, v.rule)
	}
	return fmt.Sprintf("%s: %s (%s)", v.field, v.reason, v.rule)
}

// at finds the line of a violation in the document that was read.
func (v *violation) at(file string, root *yaml.Node) *Error {
	e := &Error{File: file, Line: root.Line, Rule: v.rule, Reason: v.reason}
	if n := field(root, v.field); n != nil {
		e.Line = n.Line
		if v.index >= 0 && v.index < len(n.Content) {
			e.Line = n.Content[v.index].Line
		}
	}
	return e
}
