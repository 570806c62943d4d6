package lockfile

import (
	"regexp"
	"strings"
	"sync"

	"github.com/distributed-trust/distrust/schema"
)

// readRequirements reads what pip-compile, uv and pip's users write with --hash. pip takes any file that has one of
// the hashes of a requirement.
func readRequirements(c *collector, b []byte) error {
	var whole strings.Builder // a line with those that continue it
	first := 0
	for number, line := range lines(b) {
		if whole.Len() == 0 {
			first = number
		}
		// A comment ends the line that it stands on, whatever it ends with.
		line, comment := cutComment(line)
		more, continues := strings.CutSuffix(line, `\`)
		whole.WriteString(more)
		if continues && !comment {
			whole.WriteByte(' ')
			continue
		}
		if err := c.requirement(first, strings.TrimSpace(whole.String())); err != nil {
			return err
		}
		whole.Reset()
	}
	return c.requirement(first, strings.TrimSpace(whole.String()))
}

// cutComment cuts off what begins with "#" at the start of a line or behind a space.
func cutComment(line string) (string, bool) {
	for at := 0; at < len(line); at++ {
		if line[at] == '#' && (at == 0 || line[at-1] == ' ' || line[at-1] == '\t') {
			return line[:at], true
		}
	}
	return line, false
}

var (
	requirement = expression(`^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(.*)$`)
	exactly     = expression(`^\(?===?\s*([^\s,;()*]+)\)?$`)
)

// expression compiles a regular expression when it is first asked for: most runs of the program read no lock
// file, and compiling these takes a good part of its start.
func expression(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// requirement reads one requirement, or an option of pip's.
func (c *collector) requirement(number int, line string) error {
	switch word, _, _ := strings.Cut(strings.ReplaceAll(line, "=", " "), " "); {
	case line == "":
		return nil
	case word == "-e" || word == "--editable":
		if isGit(strings.TrimSpace(line[len(word):])) {
			return c.skip(number, line, FromGit)
		}
		return c.skip(number, line, Local)
	case hasAnyPrefix(line, "-r", "-c", "--requirement", "--constraint"):
		return c.skip(number, line, Elsewhere)
	case line[0] == '-':
		return nil // where and how pip looks for files, not which
	case isGit(line):
		return c.skip(number, line, FromGit)
	case isLocal(line):
		return c.skip(number, line, Local)
	}
	parts := requirement().FindStringSubmatch(line)
	if parts == nil {
		return c.refuse(number, "not a requirement: %.100q", line)
	}
	digests, wanted, hashed, err := c.pipHashes(number, parts[2])
	if err != nil {
		return err
	}
	address, direct := strings.CutPrefix(wanted, "@")
	address = strings.TrimSpace(address)
	version := exactly().FindStringSubmatch(wanted)
	switch {
	case direct && isGit(address):
		return c.skip(number, parts[1], FromGit)
	case direct && isLocal(address):
		return c.skip(number, parts[1], Local)
	case !hashed:
		return c.skip(number, parts[1], NoDigest)
	case len(digests) == 0:
		return c.skip(number, parts[1], Weak)
	case direct && strings.Contains(address, "://"):
		return c.pin(number, "pypi", parts[1], "", lastElement(address), digests...)
	case version == nil:
		return c.refuse(number, "hashes, and no version after ==")
	}
	return c.pin(number, "pypi", parts[1], version[1], "", digests...)
}

// pipHashes takes what follows a name apart: the hashes, and which version or address is wanted, without the
// condition behind ";".
func (c *collector) pipHashes(number int, rest string) (digests []schema.Digest, wanted string, hashed bool, err error) {
	wanted = rest
	words := strings.Fields(rest)
	for i, word := range words {
		value, is := strings.CutPrefix(word, "--hash")
		if !is {
			continue
		}
		hashed = true
		if value == "" && i+1 < len(words) {
			value = "=" + words[i+1]
		}
		algorithm, sum, ok := strings.Cut(strings.TrimPrefix(value, "="), ":")
		if !ok || value[0] != '=' {
			return nil, "", true, c.refuse(number, "a hash that is not --hash=ALGORITHM:HEX")
		}
		d, err := c.hexDigest(number, algorithm, sum)
		if err != nil {
			return nil, "", true, err
		}
		if d != (schema.Digest{}) {
			digests = append(digests, d)
		}
	}
	for _, end := range []string{" --", ";"} {
		if strings.HasPrefix(wanted, strings.TrimSpace(end)) {
			wanted = ""
		}
		wanted, _, _ = strings.Cut(wanted, end)
	}
	return digests, strings.TrimSpace(wanted), hashed, nil
}
