package lockfile

import (
	"strings"

	"github.com/distributed-trust/distrust/schema"
)

// readPoetry reads the poetry.lock of poetry 1.3 and newer.
func readPoetry(c *collector, b []byte) error {
	version := ""
	p := packages{
		c: c, wanted: paths("name", "version", "files", "source.type"),
		other: setting("metadata.lock-version", &version),
		each: func(e *entry) error {
			switch e.texts["source.type"] {
			case "git":
				return c.skip(e.line, e.texts["name"], FromGit)
			case "directory", "file":
				return c.skip(e.line, e.texts["name"], Local)
			}
			return c.distribution(e, e.tables["files"])
		},
	}
	if err := p.read(b); err != nil {
		return err
	}
	if !strings.HasPrefix(version, "2.") {
		return c.unsupported("its lock-version is %.20q; poetry 1.3 and newer write 2", version)
	}
	return nil
}

// readUV reads uv.lock.
func readUV(c *collector, b []byte) error {
	version := ""
	p := packages{
		c: c, wanted: paths("name", "version", "wheels", "source.git", "source.editable", "source.virtual", "source.directory", "source.path",
			"sdist.url", "sdist.path", "sdist.hash"),
		other: setting("version", &version),
		each: func(e *entry) error {
			if e.texts["source.git"] != "" {
				return c.skip(e.line, e.texts["name"], FromGit)
			}
			for _, local := range []string{"editable", "virtual", "directory", "path"} {
				if e.texts["source."+local] != "" {
					return c.skip(e.line, e.texts["name"], Local)
				}
			}
			files := e.tables["wheels"]
			if url := e.texts["sdist.url"]; url != "" || e.texts["sdist.path"] != "" {
				files = append(files, row{line: e.line, texts: map[string]string{"url": url, "hash": e.texts["sdist.hash"]}})
			}
			return c.distribution(e, files)
		},
	}
	if err := p.read(b); err != nil {
		return err
	}
	if version != "1" {
		return c.unsupported("its version is %.20q", version)
	}
	return nil
}

// distribution adds the files of a Python package: those of all systems, any of which may be installed.
func (c *collector) distribution(e *entry, files []row) error {
	name, version := e.texts["name"], e.texts["version"]
	if name == "" {
		return c.refuse(e.line, "a package without a name")
	}
	if len(files) == 0 {
		return c.skip(e.line, name, NoDigest)
	}
	for _, f := range files {
		file := f.texts["file"]
		if file == "" {
			file = f.texts["filename"]
		}
		if file == "" {
			file = lastElement(f.texts["url"])
		}
		var err error
		switch algorithm, value, ok := strings.Cut(f.texts["hash"], ":"); {
		case f.texts["hash"] == "":
			err = c.skip(f.line, name+" "+file, NoDigest)
		case !ok:
			err = c.refuse(f.line, "a hash that is not ALGORITHM:HEX")
		default:
			var d schema.Digest
			if d, err = c.hexDigest(f.line, algorithm, value); err == nil && d == (schema.Digest{}) {
				err = c.skip(f.line, name+" "+file, Weak)
			} else if err == nil {
				err = c.pin(f.line, "pypi", name, version, file, d)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
