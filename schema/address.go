package schema

import (
	"fmt"
	"strings"
)

// forges are the hosts whose addresses people paste where a project is asked for, and their types.
var forges = map[string]string{
	"github.com":    "github",
	"gitlab.com":    "gitlab",
	"codeberg.org":  "codeberg",
	"bitbucket.org": "bitbucket",
}

// addressSchemes begin an address. That of ssh has a user in front of the host, or is "git@HOST:".
var addressSchemes = []string{"https://", "http://", "git://", "ssh://git@", "git@", "git+https://", "git+ssh://git@"}

// fromAddress writes the address of a repository on a known forge as its project is typed:
// "https://github.com/owner/repo.git" is "github:owner/repo". It is false for what is no address.
func fromAddress(typed string) (short string, is bool, err error) {
	for _, scheme := range addressSchemes {
		if len(typed) < len(scheme) || lowerASCII(typed[:len(scheme)]) != scheme {
			continue
		}
		end := "/"
		if scheme == "git@" {
			end = ":"
		}
		host, path, _ := strings.Cut(typed[len(scheme):], end)
		kind := forges[strings.TrimPrefix(lowerASCII(host), "www.")]
		path = strings.TrimRight(path, "/")
		if kind == "" || path == "" {
			break
		}
		return kind + ":" + path, true, nil
	}
	if strings.Contains(typed, "://") && !strings.HasPrefix(lowerASCII(typed), "pkg:") {
		return "", true, fmt.Errorf("project %s: not the address of a repository that is known here; write for example pypi:requests or github:owner/repo", quote(typed))
	}
	return typed, false, nil
}
