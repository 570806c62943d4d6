package lockfile

import "strings"

// readCargo reads the Cargo.lock of cargo 1.53 and newer.
func readCargo(c *collector, b []byte) error {
	version := "2" // which has none
	p := packages{
		c: c, wanted: paths("name", "version", "source", "checksum"), each: c.crate,
		other: func(path, value string) (bool, error) {
			if strings.HasPrefix(path, "metadata.checksum ") {
				return true, c.unsupported("its version is 1; cargo 1.53 and newer write 3 and 4")
			}
			return setting("version", &version)(path, value)
		},
	}
	if err := p.read(b); err != nil {
		return err
	}
	if version != "2" && version != "3" && version != "4" {
		return c.unsupported("its version is %.20q", version)
	}
	return nil
}

// paths makes a set.
func paths(list ...string) map[string]bool {
	set := map[string]bool{}
	for _, p := range list {
		set[p] = true
	}
	return set
}

// setting takes the value at a path.
func setting(wanted string, into *string) func(path, value string) (bool, error) {
	return func(path, value string) (bool, error) {
		if path != wanted {
			return false, nil
		}
		*into = value
		return true, nil
	}
}

// crate adds the file of a crate.
func (c *collector) crate(e *entry) error {
	name, version, source := e.texts["name"], e.texts["version"], e.texts["source"]
	switch {
	case name == "" || version == "":
		return c.refuse(e.line, "a package without name or version")
	case source == "":
		return c.skip(e.line, name, Local)
	case strings.HasPrefix(source, "git+"):
		return c.skip(e.line, name, FromGit)
	case e.texts["checksum"] == "":
		return c.skip(e.line, name, NoDigest)
	}
	d, err := c.hexDigest(e.line, "sha256", e.texts["checksum"])
	if err != nil {
		return err
	}
	return c.pin(e.line, "cargo", name, version, name+"-"+version+".crate", d)
}
