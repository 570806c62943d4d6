package signature

import "bytes"

// gitHead is how much of a file is looked at to tell a git object: the first line of a commit and
// the beginning of the second, with digests of SHA-256.
const gitHead = 128

// gitObject is "commit", "tag" or "push certificate" for bytes that git takes for the signed part of one; "" for others.
// It looks at the fewest bytes that no other file begins with, so that nothing that git could read
// slips through (S2).
func gitObject(head []byte) string {
	first, rest, _ := bytes.Cut(head, []byte("\n"))
	word, id, _ := bytes.Cut(first, []byte(" "))
	next, _, _ := bytes.Cut(rest, []byte(" "))
	switch string(word) {
	case "tree":
		if isObjectID(id) && (string(next) == "parent" || string(next) == "author") {
			return "commit"
		}
	case "object":
		if isObjectID(id) && string(next) == "type" {
			return "tag"
		}
	case "certificate":
		if bytes.HasPrefix(id, []byte("version ")) && string(next) == "pusher" {
			return "push certificate"
		}
	}
	return ""
}

// isObjectID reports whether b is the name of a git object.
func isObjectID(b []byte) bool {
	if len(b) != 40 && len(b) != 64 {
		return false
	}
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
