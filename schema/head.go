package schema

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// ParseHead reads a head document: F1, then the fields of F5. What the fields mean together
// with other heads, keys and clocks is for package records to judge. Errors are as those of
// [ParseRecord].
func ParseHead(file string, b []byte) (*Head, error) {
	root, refused := parseNodes(file, b, MaxHeadBytes)
	if refused != nil {
		return nil, refused
	}
	r := &reader{file: file}
	if !r.expectKind(root, KindHead) {
		return nil, r.err
	}
	h := new(Head)
	r.mapping(root, func(name string, _, value *yaml.Node) bool { return r.headField(h, name, value) })
	for _, name := range []string{"epoch", "records"} { // 0 is a value of these
		if field(root, name) == nil {
			r.fail(root, F5, "a head needs %s", name)
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if bad := h.check(); bad != nil {
		return nil, bad.at(file, root)
	}
	return h, nil
}

// expectKind reads the version and kind of a document that must be of one kind.
func (r *reader) expectKind(root *yaml.Node, want Kind) bool {
	kind := r.envelope(root, F5)
	if r.err != nil {
		return false
	}
	switch kind {
	case want:
		return true
	case KindTrust, KindDistrust, KindFollow, KindWithdraw, KindHead, KindPrivate:
		r.fail(field(root, "kind"), F5, "a document of kind %s is expected here, not %s", want, kind)
	default:
		r.unknown(field(root, "kind"), "kind %s", quote(string(kind)))
	}
	return false
}

// headField reads one field of a head into h; false when format 1 has no such field.
func (r *reader) headField(h *Head, name string, value *yaml.Node) bool {
	switch name {
	case "distrust", "kind":
	case "log":
		h.Log = r.hex(value)
	case "salt":
		h.Salt = r.hex(value)
	case "name":
		h.Name = r.text(value)
	case "contact":
		h.Contact = r.filled(value, F5)
	case "url":
		h.URL = r.filled(value, F5)
	case "projects":
		h.Projects = r.someTexts(value, F5)
	case "epoch":
		h.Epoch = r.integer(value)
	case "seq":
		h.Seq = r.integer(value)
	case "prev":
		h.Prev = r.hex(value)
	case "root":
		h.Root = r.hex(value)
	case "records":
		h.Records = r.integer(value)
	case "issued":
		h.Issued = r.time(value)
	case "expires":
		h.Expires = r.time(value)
	case "keys":
		h.Keys = r.keys(value)
	case "keep":
		h.Keep = r.ids(value)
	default:
		return false
	}
	return true
}

// keys reads the keys of a head.
func (r *reader) keys(n *yaml.Node) []Key {
	nodes := r.sequence(n)
	list := make([]Key, len(nodes))
	for i, node := range nodes {
		k := &list[i]
		r.mapping(node, func(name string, _, value *yaml.Node) bool {
			switch name {
			case "key":
				k.Key = r.filled(value, F5)
			case "name":
				k.Name = r.text(value)
			case "state":
				k.State = KeyState(r.filled(value, F5))
			case "recovery":
				k.Recovery = r.flag(value)
			default:
				return false
			}
			return true
		})
	}
	return list
}

// check holds a head's values against F5.
func (h *Head) check() *violation {
	c := checker{rule: F5}
	c.check("log", hexDigits(h.Log, 32))
	c.check("salt", hexDigits(h.Salt, 32))
	c.check("name", ValidText(h.Name))
	if h.Contact != "" {
		c.check("contact", validContact(h.Contact))
	}
	c.check("url", ValidText(h.URL))
	c.list("projects", h.Projects, ValidPattern)
	c.count("epoch", h.Epoch, 0)
	c.count("seq", h.Seq, 1)
	switch {
	case h.Seq == 1 && h.Prev != "":
		c.fail("prev", "the first head has no prev")
	case h.Seq > 1:
		c.check("prev", validID(h.Prev))
	}
	c.check("root", validID(h.Root))
	c.count("records", h.Records, 0)
	c.check("issued", writableTime(h.Issued))
	c.check("expires", writableTime(h.Expires))
	if len(h.Keys) == 0 {
		c.fail("keys", "a head needs keys")
	}
	listed := make(map[string]bool, len(h.Keys))
	for i := range h.Keys {
		c.item("keys", i, h.Keys[i].check(listed))
	}
	if len(h.Keep) > MaxKeep {
		c.fail("keep", "%d ids, at most %d are allowed", len(h.Keep), MaxKeep)
	}
	c.ids("keep", h.Keep)
	return c.first
}

// count checks a counter, which has at most the 16 digits of F1.
func (c *checker) count(field string, v, least int64) {
	const most = 9999999999999999
	if v < least || v > most {
		c.fail(field, "%d is not in %d to %d", v, least, int64(most))
	}
}

// check judges one key of a head. A key that is listed twice would have two states.
func (k *Key) check(listed map[string]bool) error {
	if err := validKeyLine(k.Key); err != nil {
		return err
	}
	if listed[k.Key] {
		return fmt.Errorf("key %s is there twice", quote(k.Key))
	}
	listed[k.Key] = true
	switch k.State {
	case Active, Retired, Compromised:
	default:
		return fmt.Errorf("%s is no state of a key", quote(string(k.State)))
	}
	return ValidText(k.Name)
}

// validContact checks an address for people: mailto: or https: only (F5), for it is offered as
// a link. It has no spaces, so that it stays one word.
func validContact(s string) error {
	for _, scheme := range []string{"mailto:", "https://"} {
		if rest, ok := strings.CutPrefix(s, scheme); ok && rest != "" && !strings.Contains(rest, " ") {
			return ValidText(s)
		}
	}
	return fmt.Errorf("contact %s is not a mailto: or https: address", quote(s))
}

// ParsePrivateLog reads private/log.yml: which key and salt made the private log's id (F5).
// Errors are as those of [ParseRecord].
func ParsePrivateLog(file string, b []byte) (*PrivateLog, error) {
	root, refused := parseNodes(file, b, MaxHeadBytes)
	if refused != nil {
		return nil, refused
	}
	r := &reader{file: file}
	if !r.expectKind(root, KindPrivate) {
		return nil, r.err
	}
	p := new(PrivateLog)
	r.mapping(root, func(name string, _, value *yaml.Node) bool {
		switch name {
		case "distrust", "kind":
		case "log":
			p.Log = r.hex(value)
		case "key":
			p.Key = r.filled(value, F5)
		case "salt":
			p.Salt = r.hex(value)
		default:
			return false
		}
		return true
	})
	if r.err != nil {
		return nil, r.err
	}
	if bad := p.check(); bad != nil {
		return nil, bad.at(file, root)
	}
	return p, nil
}

// check holds the values of a private log against F5.
func (p *PrivateLog) check() *violation {
	c := checker{rule: F5}
	c.check("log", hexDigits(p.Log, 32))
	c.check("key", validKeyLine(p.Key))
	c.check("salt", hexDigits(p.Salt, 32))
	return c.first
}
