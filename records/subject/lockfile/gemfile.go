package lockfile

import (
	"strings"
)

// gem is a line with a gem: `    NAME (VERSION)` among specs, `  NAME (VERSION) sha256=HEX` among checksums. A version
// may have a platform behind it.
var gem = expression(`^([A-Za-z0-9_][A-Za-z0-9._-]*) \(([0-9][0-9A-Za-z.]*)(-[0-9A-Za-z_.-]+)?\)(?: (\S+))?$`)

// readGemfile reads Gemfile.lock: of gems with a checksum the file is NAME-VERSION(-PLATFORM).gem.
func readGemfile(c *collector, b []byte) error {
	section := ""
	from := map[string]Reason{} // the gems that are of no registry
	specs := map[string]int{}   // where the gems stand
	var order []string
	for number, line := range lines(b) {
		depth := indent(line)
		parts := gem().FindStringSubmatch(line[depth:])
		switch {
		case strings.TrimSpace(line) == "":
		case hasAnyPrefix(line, "<<<<<<<", "=======", ">>>>>>>"):
			return c.refuse(number, "a merge that was not finished")
		case depth == 0:
			section = line
		case section == "CHECKSUMS":
			if parts == nil || depth != 2 {
				return c.refuse(number, "not a checksum of a gem")
			}
			key := parts[1] + " " + parts[2] + parts[3]
			if from[key] != "" || parts[4] == "" {
				continue
			}
			delete(specs, key)
			if err := c.pinGem(number, parts); err != nil {
				return err
			}
		case depth == 4 && (section == "GEM" || section == "PATH" || section == "GIT"):
			if parts == nil || parts[4] != "" {
				return c.refuse(number, "not a gem")
			}
			key := parts[1] + " " + parts[2] + parts[3]
			if _, twice := specs[key]; !twice {
				specs[key], order = number, append(order, key)
			}
			if why, ok := map[string]Reason{"PATH": Local, "GIT": FromGit}[section]; ok {
				from[key] = why
			}
		}
	}
	for _, key := range order {
		number, left := specs[key]
		why := NoDigest
		if from[key] != "" {
			why = from[key]
		}
		if left {
			if err := c.skip(number, key, why); err != nil {
				return err
			}
		}
	}
	return nil
}

// pinGem adds the file of a gem. Bundler computes SHA-256.
func (c *collector) pinGem(number int, parts []string) error {
	name, version, platform := parts[1], parts[2], parts[3]
	for sum := range strings.SplitSeq(parts[4], ",") {
		algorithm, value, ok := strings.Cut(sum, "=")
		if !ok {
			return c.refuse(number, "a checksum that is not ALGORITHM=HEX")
		}
		if algorithm != "sha256" {
			continue
		}
		d, err := c.hexDigest(number, algorithm, value)
		if err != nil {
			return err
		}
		return c.pin(number, "gem", name, version, name+"-"+version+platform+".gem", d)
	}
	return c.skip(number, name+" "+version+platform, Weak)
}
