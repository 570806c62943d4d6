package records

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/distributed-trust/distrust/schema"
)

// Where the documents of a trust repository lie (F4).
const (
	HeadFile          = "head.yml"
	HeadSignatureFile = HeadFile + sigSuffix
	RecordsFolder     = "records"
	KeysFolder        = "keys"
	AllowedSigners    = "allowed_signers"
	GitAttributes     = ".gitattributes"
	Readme            = "README.md"

	recordSuffix = ".yml"
	sigSuffix    = ".sig"
)

// How many bytes of a slug, and how many digits of an id, a path shows (F4).
const (
	typeSlug    = 16
	projectSlug = 64
	labelSlug   = 48
	idDigits    = 16
	hashDigits  = 8
	shardDigits = 2
)

// Path is the one place of a record in its repository (F4): a pure function of the document and
// its id (64 hex), so that nobody can file a record where it is not looked for. The signature
// lies beside it, with ".sig" added.
func Path(doc schema.Record, id string) string {
	return RecordsFolder + "/" + folder(doc) + "/" + firstDigits(id, shardDigits) + "/" +
		label(doc) + "-" + firstDigits(id, idDigits) + recordSuffix
}

// HeadPath is where the kept copy of a head lies: keys/<seq>.yml (F4).
func HeadPath(seq int64) string {
	return KeysFolder + "/" + strconv.FormatInt(seq, 10) + recordSuffix
}

// SignaturePath is where the signature of the document at path lies.
func SignaturePath(path string) string { return path + sigSuffix }

// Slug makes a file name element out of any text (F4): small letters, digits, dots, underscores
// and single hyphens, at most n bytes ("x-" in front of a Windows device name aside), never empty.
func Slug(s string, n int) string {
	var b strings.Builder
	gap := false
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if !slugByte(c) {
			gap = true
			continue
		}
		if gap {
			b.WriteByte('-')
			gap = false
		}
		b.WriteByte(c)
	}
	slug := strings.Trim(b.String(), "._-")
	if len(slug) > n {
		slug = strings.Trim(slug[:n], "._-")
	}
	if slug == "" {
		return "x"
	}
	if stem, _, _ := strings.Cut(slug, "."); deviceName(stem) {
		return "x-" + slug
	}
	return slug
}

// slugByte says whether a byte stays as it is; a hyphen is what a run of others becomes.
func slugByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_'
}

// deviceName says whether Windows would open a device instead of a file of this name.
func deviceName(stem string) bool {
	switch stem {
	case "con", "prn", "aux", "nul":
		return true
	}
	if len(stem) != 4 || stem[3] < '0' || stem[3] > '9' {
		return false
	}
	return stem[:3] == "com" || stem[:3] == "lpt"
}

// folder is named by the kind or by the field `project` alone, never by a subject (F4).
func folder(doc schema.Record) string {
	switch {
	case doc.Kind == schema.KindFollow || doc.Kind == schema.KindWithdraw:
		return string(doc.Kind)
	case doc.Project != "":
		kind, name, _ := strings.Cut(strings.TrimPrefix(doc.Project, "pkg:"), "/")
		return Slug(kind, typeSlug) + "/" + Slug(name, projectSlug)
	}
	return "any"
}

// label names the first thing that the record speaks about.
func label(doc schema.Record) string {
	switch {
	case doc.Kind == schema.KindFollow && doc.Source != nil:
		return Slug(firstDigits(doc.Source.Log, idDigits), labelSlug)
	case doc.Kind == schema.KindWithdraw && len(doc.Withdraws) > 0:
		return Slug(firstDigits(doc.Withdraws[0], idDigits), labelSlug)
	case len(doc.Subjects) > 0:
		return Slug(subjectLabel(doc.Subjects[0]), labelSlug)
	}
	return Slug("", labelSlug) // no document that passes F2
}

func subjectLabel(s schema.Subject) string {
	switch s.Kind() {
	case schema.SubjectFile:
		if s.File != "" {
			return s.File
		}
		return firstDigits(s.Digest.SHA256, hashDigits)
	case schema.SubjectSigner:
		sum := sha256.Sum256([]byte(s.Signer))
		return "signer-" + firstDigits(hex.EncodeToString(sum[:]), hashDigits)
	case schema.SubjectGit:
		return "git-" + firstDigits(s.Git.Commit+s.Git.Tree, hashDigits) // one of them is empty
	case schema.SubjectRelease:
		project, _, _ := strings.Cut(s.Release, "@")
		return "release-" + lastSegment(project)
	case schema.SubjectProject:
		return "project-" + lastSegment(s.Project)
	}
	return ""
}

func lastSegment(project string) string {
	return project[strings.LastIndexByte(project, '/')+1:]
}

func firstDigits(s string, n int) string {
	return s[:min(n, len(s))]
}
