package render

import (
	"strconv"
	"strings"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// WeightWord is how a weight is shown (D1): its word when it has one, else the number.
func WeightWord(weight int) string {
	switch weight {
	case 100:
		return "full"
	case 50:
		return "half"
	case 34:
		return "third"
	case 0:
		return "mute"
	}
	return strconv.Itoa(weight)
}

// Project is a project, pattern or release in its short form: pypi:requests for
// pkg:pypi/requests (C3). What is not a package URL stays as it is.
func Project(purl string) string {
	kind, name, ok := strings.Cut(strings.TrimPrefix(purl, "pkg:"), "/")
	if !ok || !strings.HasPrefix(purl, "pkg:") {
		return purl
	}
	if rest, scoped := strings.CutPrefix(name, "%40"); scoped && kind == "npm" {
		name = "@" + rest
	}
	return kind + ":" + name
}

// Release is a project with its version, when there is one: pypi:requests@2.33.0.
func Release(project, version string) string {
	if version == "" {
		return Project(project)
	}
	return Project(project) + "@" + version
}

// shortDigits is how many digits of a digest are shown to people.
const shortDigits = 12

// Digest is what identifies the queried thing, whole: sha256:HEX, sha512:HEX, or the git id; ""
// when nothing does.
func Digest(q trust.Query) string {
	switch {
	case q.Digest.SHA256 != "":
		return "sha256:" + q.Digest.SHA256
	case q.Digest.SHA512 != "":
		return "sha512:" + q.Digest.SHA512
	case q.Git.Commit != "":
		return "commit:" + q.Git.Commit
	case q.Git.Tree != "":
		return "tree:" + q.Git.Tree
	}
	return ""
}

// Short shortens a digest or fingerprint of the form "algorithm:digits" to its first digits.
func Short(digest string) string {
	algorithm, digits, ok := strings.Cut(digest, ":")
	if !ok || len(digits) <= shortDigits+2 {
		return digest
	}
	return algorithm + ":" + digits[:shortDigits] + ".."
}

// Signer is a signer as people compare it: an ssh key by its fingerprint, others by their whole
// identity (F2).
func Signer(identity string) string {
	text, ok := strings.CutPrefix(identity, "ssh:")
	if !ok {
		return identity
	}
	key, err := sshsig.ParseKey(text)
	if err != nil {
		return identity
	}
	return key.Fingerprint()
}

// you is what the user is called among sources; no source can have this name.
const you = "you"

// sourceName is the name of who says v.
func sourceName(v trust.Voice) string {
	switch {
	case v.Own:
		return you
	case v.Source != "":
		return v.Source
	}
	return v.Statement.Log
}

// who says v, over which path: "carol (half)", "bob (half) > dave".
func who(v trust.Voice) string {
	if v.Own {
		return you
	}
	path := v.PathNames
	if len(path) == 0 {
		path = []string{sourceName(v)}
	}
	first := path[0] + " (" + WeightWord(v.Weight) + ")"
	return strings.Join(append([]string{first}, path[1:]...), " > ")
}

// report says whether a voice is a report.
func report(s trust.Statement) bool { return s.Kind == schema.KindDistrust }

// saying is what kind of word a voice is: the category of a report, else the basis of trust in
// the file, else the level.
func saying(v trust.Voice) string {
	switch {
	case report(v.Statement):
		return string(v.Statement.Category)
	case v.Level == trust.LevelFile && v.Statement.Basis != "":
		return string(v.Statement.Basis)
	}
	return string(v.Level)
}
