package lockfile

import (
	"net/url"
	"strings"
)

// readNPM reads package-lock.json and npm-shrinkwrap.json of lockfileVersion 2 and 3. Of both, npm believes the member
// "packages", whose keys are folders.
func readNPM(c *collector, b []byte) error {
	r, err := walkJSON(c, b)
	if err != nil {
		return err
	}
	version, packages := "", false
	err = r.object(func(key string) error {
		switch key {
		case "lockfileVersion":
			version = string(r.skip())
		case "packages":
			packages = true
			return r.object(func(folder string) error { return npmPackage(r, folder) })
		default:
			r.skip()
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case version != "2" && version != "3":
		return c.unsupported("lockfileVersion is %.20q; npm 7 and newer write 2 and 3", version)
	case !packages:
		return c.refuse(0, `the member "packages" is missing`)
	}
	return nil
}

// npmPackage reads one member of "packages".
func npmPackage(r *cursor, folder string) error {
	line := r.here()
	var name, version, resolved, integrity string
	var link, bundled bool
	err := r.object(func(key string) (err error) {
		switch key {
		case "name":
			name, err = r.text()
		case "version":
			version, err = r.text()
		case "resolved":
			resolved, err = r.text()
		case "integrity":
			integrity, err = r.text()
		case "link":
			link, err = r.truth()
		case "inBundle":
			bundled, err = r.truth()
		default:
			r.skip()
		}
		return err
	})
	if err != nil || folder == "" { // "" is the project itself
		return err
	}
	const modules = "node_modules/"
	at := strings.LastIndex(folder, modules)
	if name == "" && at >= 0 {
		name = folder[at+len(modules):]
	}
	switch {
	case link, at < 0, isLocal(resolved):
		return r.c.skip(line, folder, Local)
	case isGit(resolved):
		return r.c.skip(line, folder, FromGit)
	case integrity == "" && bundled:
		return r.c.skip(line, folder, Bundled)
	}
	return r.c.pinNPM(line, name, version, resolved, integrity)
}

// pinNPM adds the file of an npm package.
func (c *collector) pinNPM(line int, name, version, resolved, integrity string) error {
	if integrity == "" {
		return c.skip(line, name, NoDigest)
	}
	digests, err := c.integrity(line, integrity)
	switch {
	case err != nil:
		return err
	case len(digests) == 0:
		return c.skip(line, name, Weak)
	case version == "":
		return c.refuse(line, "a digest, and no version")
	}
	return c.pin(line, "npm", name, version, lastElement(resolved), digests...)
}

// isLocal says whether an address leads to a file or folder of this machine.
func isLocal(address string) bool {
	return hasAnyPrefix(address, "file:", "link:", "portal:", "workspace:", "./", "../", "/")
}

// isGit says whether an address leads to a git repository.
func isGit(address string) bool {
	whole, _, _ := strings.Cut(address, "#")
	return hasAnyPrefix(address, "git+", "git:", "git@", "ssh:", "github:", "gitlab:", "bitbucket:", "gist:") || strings.HasSuffix(whole, ".git")
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// lastElement is what the file at an address is called; "" when it gives no name.
func lastElement(address string) string {
	if !strings.Contains(address, "://") {
		return ""
	}
	if at := strings.IndexAny(address, "?#"); at >= 0 {
		address = address[:at]
	}
	name, err := url.PathUnescape(address[strings.LastIndexByte(address, '/')+1:])
	if err != nil || strings.Contains(name, "/") {
		return ""
	}
	return name
}
