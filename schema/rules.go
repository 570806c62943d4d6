package schema

import (
	"fmt"
	"slices"
	"strings"
)

// need says whether a kind of record has a field.
type need uint8

const (
	never need = iota
	optional
	required
)

// A fieldRule is one line of the table of F2.
type fieldRule struct {
	name                              string
	trust, distrust, follow, withdraw need
}

// recordRules is the table of F2: which field belongs to which kind of record.
var recordRules = [...]fieldRule{
	{"log", required, required, required, required},
	{"by", required, required, required, required},
	{"issued", required, required, required, required},
	{"expires", optional, never, optional, never},
	{"project", optional, optional, never, never},
	{"version", optional, optional, never, never},
	{"subjects", required, required, never, never},
	{"category", never, required, never, never},
	{"source", never, never, required, never},
	{"weight", never, never, required, never},
	{"depth", never, never, optional, never},
	{"scopes", never, never, optional, never},
	{"withdraws", never, never, never, required},
	{"reason", optional, optional, optional, optional},
	{"basis", optional, optional, never, never},
	{"strength", optional, optional, never, never},
	{"seen", optional, never, never, never},
}

// recordRule finds the rule of a field by its name.
func recordRule(name string) (*fieldRule, bool) {
	for i := range recordRules {
		if recordRules[i].name == name {
			return &recordRules[i], true
		}
	}
	return nil, false
}

// need is the column of a kind.
func (f *fieldRule) need(k Kind) need {
	switch k {
	case KindTrust:
		return f.trust
	case KindDistrust:
		return f.distrust
	case KindFollow:
		return f.follow
	case KindWithdraw:
		return f.withdraw
	case KindHead, KindPrivate:
	}
	return never
}

// has says whether a record holds a field; absent is Go's zero value.
func (r *Record) has(field string) bool {
	switch field {
	case "log":
		return r.Log != ""
	case "by":
		return r.By != ""
	case "issued":
		return !r.Issued.IsZero()
	case "expires":
		return !r.Expires.IsZero()
	case "project":
		return r.Project != ""
	case "version":
		return r.Version != ""
	case "subjects":
		return len(r.Subjects) > 0
	case "category":
		return r.Category != ""
	case "source":
		return r.Source != nil
	case "weight":
		return r.Weight != 0
	case "depth":
		return r.Depth != 0
	case "scopes":
		return len(r.Scopes) > 0
	case "withdraws":
		return len(r.Withdraws) > 0
	case "reason":
		return r.Reason != ""
	case "basis":
		return r.Basis != ""
	case "strength":
		return r.Strength != 0
	case "seen":
		return len(r.Seen) > 0
	}
	return false
}

// check holds a record's values against F2, table and all. Reader and writer share it, so that
// nothing can be written which would not be read.
func (r *Record) check() *violation {
	switch r.Kind {
	case KindTrust, KindDistrust, KindFollow, KindWithdraw:
	default:
		return violated(F2, "kind", "%s is no kind of record", quote(string(r.Kind)))
	}
	for i := range recordRules {
		rule := &recordRules[i]
		switch has := r.has(rule.name); {
		case has && rule.need(r.Kind) == never:
			return violated(F2, rule.name, "a %s record has no field %s", r.Kind, rule.name)
		case !has && rule.need(r.Kind) == required:
			return violated(F2, rule.name, "a %s record needs %s", r.Kind, rule.name)
		}
	}
	return r.checkValues()
}

// checkValues judges each value that is there.
func (r *Record) checkValues() *violation {
	c := checker{rule: F2}
	c.check("log", hexDigits(r.Log, 32))
	c.check("by", validKeyLine(r.By))
	c.check("issued", writableTime(r.Issued))
	if r.Project != "" {
		c.check("project", ValidProject(r.Project))
	}
	if r.Version != "" {
		c.check("version", ValidVersion(r.Version))
		if r.Project == "" {
			c.fail("version", "a version needs a project")
		}
	}
	if !r.Expires.IsZero() {
		c.check("expires", writableTime(r.Expires))
	}
	if len(r.Subjects) > MaxSubjects {
		c.fail("subjects", "%d subjects, at most %d are allowed", len(r.Subjects), MaxSubjects)
	}
	for i := range r.Subjects {
		c.item("subjects", i, r.Subjects[i].check(r.Kind))
	}
	if r.Category != "" && !slices.Contains(Categories(), r.Category) {
		c.fail("category", "%s is no category", quote(string(r.Category)))
	}
	if r.Basis != "" && !slices.Contains(Bases(), r.Basis) {
		c.fail("basis", "%s is no basis", quote(string(r.Basis)))
	}
	c.within("strength", r.Strength, 0, 100)
	c.check("reason", ValidText(r.Reason))
	c.ids("seen", r.Seen)
	if r.Source != nil {
		c.check("source", r.Source.check())
		c.within("weight", r.Weight, 1, 100)
	}
	c.within("depth", r.Depth, 0, 3)
	c.list("scopes", r.Scopes, ValidPattern)
	c.ids("withdraws", r.Withdraws)
	return c.first
}

// A checker collects the first violation of a document.
type checker struct {
	rule  Rule
	first *violation
}

func (c *checker) fail(field, format string, args ...any) {
	if c.first == nil {
		c.first = violated(c.rule, field, format, args...)
	}
}

func (c *checker) check(field string, err error) {
	if err != nil {
		c.fail(field, "%v", err)
	}
}

// item blames one item of a list.
func (c *checker) item(field string, i int, err error) {
	if err != nil && c.first == nil {
		c.first = &violation{rule: c.rule, field: field, index: i, reason: err.Error()}
	}
}

func (c *checker) list(field string, items []string, valid func(string) error) {
	for i, s := range items {
		c.item(field, i, valid(s))
	}
}

func (c *checker) ids(field string, ids []string) { c.list(field, ids, validID) }

func (c *checker) within(field string, v, least, most int) {
	if v < least || v > most {
		c.fail(field, "%d is not in %d to %d", v, least, most)
	}
}

// check judges what a follow record follows.
func (s *FollowSource) check() error {
	if err := hexDigits(s.Log, 32); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	if err := validURL(s.URL); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	if !strings.HasPrefix(s.Key, "SHA256:") || !fingerprint(s.Key[len("SHA256:"):]) {
		return fmt.Errorf("key: %s is not SHA256: and the 43 characters of a fingerprint", quote(s.Key))
	}
	return nil
}
