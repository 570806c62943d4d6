package sshsig_test

import (
	"strings"

	"github.com/distributed-trust/distrust/sshsig"
)

// allowedCase asks whether the key K may sign a "file" as user-1@example.com. In lines, KEY is K and
// WRONG is another key.
type allowedCase struct {
	name  string
	lines string
	as    string // default user-1@example.com
	ns    string // default test-1
	at    string // default 20261121120000Z
	zone  string // default UTC
	want  bool
	safer bool // OpenSSH allows it, and we skip the line
}

// allowedCases are OpenSSH's regress/sshsig.sh without certificates (research, section 2), and then
// the file format (3a).
var allowedCases = []allowedCase{
	{name: "plain", lines: `user-1@example.com KEY`, want: true},
	{name: "limited namespace", lines: `user-1@example.com namespaces="test-1,whatever" KEY`, want: true},
	{name: "unknown option", lines: `user-1@example.com octopus KEY`},
	{name: "wrong key", lines: `user-1@example.com WRONG`},
	{name: "wrong principal", lines: `josef.k@example.com KEY`},
	{name: "excluded namespace", lines: `user-1@example.com namespaces="whatever" KEY`},
	{name: "valid at 1985", lines: years80, at: "19850101Z", want: true},
	{name: "valid at 1979", lines: years80, at: "19790101Z"},
	{name: "valid at 1991", lines: years80, at: "19910101Z"},
	{name: "valid now", lines: years80},
	{name: "two lines, 2010", lines: twoSpans, at: "20100101Z"},
	{name: "two lines, 1983", lines: twoSpans, at: "19830101Z", want: true},
	{name: "two lines, 1988", lines: twoSpans, at: "19880101Z", want: true},
	{name: "two lines, 1995", lines: twoSpans, at: "19950101Z", want: true},
	{name: "key flagged as authority", lines: `user-1@example.com cert-authority KEY`},
	{name: "authority line, then plain line", lines: "user-1@example.com cert-authority KEY\nuser-1@example.com KEY", want: true},

	{name: "tabs", lines: "user-1@example.com\tnamespaces=\"test-1\"\tKEY", want: true},
	{name: "leading blanks", lines: " \t user-1@example.com  KEY", want: true},
	{name: "comment behind", lines: `user-1@example.com KEY me on my laptop`, want: true},
	{name: "blank lines and comments", lines: "# people\n\n  # more\n\t\nuser-1@example.com KEY\n", want: true},
	{name: "line commented out", lines: `#user-1@example.com KEY`},
	{name: "crlf", lines: "user-1@example.com KEY\r\n", want: true},
	{name: "crlf behind a comment", lines: "user-1@example.com KEY me\r\n", want: true},
	{name: "carriage return before", lines: "\r* KEY"},
	{name: "carriage return behind a blank", lines: "\t\r* KEY"},
	{name: "carriage return behind the principals", lines: "user-1@example.com\rKEY", want: true},
	{name: "byte order mark", lines: "\ufeffuser-1@example.com KEY"},
	{name: "byte order mark, second line", lines: "\ufeffuser-1@example.com KEY\nuser-1@example.com KEY", want: true},
	{name: "principal only", lines: "user-1@example.com"},
	{name: "principal and type only", lines: "user-1@example.com ssh-ed25519"},
	{name: "key without principal", lines: "KEY"},
	{name: "bad line first", lines: "user-1@example.com octopus KEY\nuser-1@example.com KEY", want: true},

	{name: "star", lines: `*@example.com KEY`, want: true},
	{name: "star alone", lines: `* KEY`, want: true},
	{name: "stars", lines: `*us*-*1*@*.com* KEY`, want: true},
	{name: "star that fits nowhere", lines: `*@example.org KEY`},
	{name: "question mark", lines: `user-?@example.com KEY`, want: true},
	{name: "question mark is one", lines: `user-??@example.com KEY`},
	{name: "brackets are no pattern", lines: `user-[0-9]@example.com KEY`},
	{name: "principals are case-sensitive", lines: `User-1@example.com KEY`},
	{name: "list", lines: `a@b,user-1@example.com,c KEY`, want: true},
	{name: "list ends with a comma", lines: `user-1@example.com, KEY`, want: true},
	{name: "list with a blank", lines: `a@b, user-1@example.com KEY`},
	{name: "negated behind", lines: `*@example.com,!user-1@example.com KEY`},
	{name: "negated before", lines: `!user-1@example.com,*@example.com KEY`},
	{name: "negated only", lines: `!josef.k@example.com KEY`},
	{name: "another negated", lines: `*@example.com,!josef.k@example.com KEY`, want: true},
	{name: "negated pattern", lines: `*,!user-* KEY`},
	{name: "negated on another line", lines: "!user-1@example.com,* KEY\n* KEY", want: true},
	{name: "quoted", lines: `"user-1@example.com" KEY`, want: true},
	{name: "quoted with a blank", lines: `"a b,user-1@example.com" KEY`, want: true},
	{name: "principal with a blank", lines: `"a b" KEY`, as: "a b", want: true},
	{name: "quotes inside", lines: `user-1"@example.com" KEY`, want: true},
	{name: "quotes inside with a blank", lines: `user-1"@example.com b" KEY`},
	{name: "no closing quote", lines: `"user-1@example.com KEY`},
	{name: "no blank behind the quotes", lines: `"user-1@example.com"KEY`, want: true},
	{name: "too long a pattern", lines: `user-1@example.com,` + strings.Repeat("a", 1023) + ` KEY`},
	{name: "a long pattern", lines: `user-1@example.com,` + strings.Repeat("a", 1022) + ` KEY`, want: true},

	{name: "option in capitals", lines: `user-1@example.com NAMESPACES="test-1" KEY`, want: true},
	{name: "namespace is case-sensitive", lines: `user-1@example.com namespaces="TEST-1" KEY`},
	{name: "namespace pattern", lines: `user-1@example.com namespaces="test-*" KEY`, want: true},
	{name: "namespace negated", lines: `user-1@example.com namespaces="*,!test-1" KEY`},
	{name: "namespace empty", lines: `user-1@example.com namespaces="" KEY`},
	{name: "namespace not quoted", lines: `user-1@example.com namespaces=test-1 KEY`},
	{name: "namespace half quoted", lines: `user-1@example.com namespaces="test-1 KEY`},
	{name: "namespace without value", lines: `user-1@example.com namespaces KEY`},
	{name: "namespaces twice", lines: `user-1@example.com namespaces="test-1",namespaces="test-1" KEY`},
	{name: "namespace with a blank", lines: `user-1@example.com namespaces="a b,test-1" KEY`, want: true},
	{name: "namespace with a quote", lines: `user-1@example.com namespaces="a\"b" KEY`, ns: `a"b`, want: true},
	{name: "text behind a value", lines: `user-1@example.com namespaces="test-1"x KEY`},
	{name: "blank behind a comma", lines: `user-1@example.com namespaces="test-1", valid-after="1980" KEY`},
	{name: "comma behind the options", lines: `user-1@example.com namespaces="test-1", KEY`},
	{name: "comma before the options", lines: `user-1@example.com ,namespaces="test-1" KEY`, want: true},
	{name: "two commas", lines: `user-1@example.com namespaces="test-1",,valid-after="19800101" KEY`, want: true},
	{name: "two options fields", lines: `user-1@example.com namespaces="test-1" valid-after="19800101" KEY`},
	{name: "unknown option behind", lines: `user-1@example.com namespaces="test-1",octopus KEY`},
	{name: "unknown option with a known start", lines: `user-1@example.com namespaces2="test-1" KEY`},
	{name: "all options", lines: `user-1@example.com valid-before="20300101",namespaces="test-1",valid-after="19800101" KEY`, want: true},

	{name: "date with Z", lines: `user-1@example.com valid-after="20261121Z" KEY`, at: "20261121Z", want: true},
	{name: "the second before", lines: `user-1@example.com valid-after="20261121Z" KEY`, at: "20261120235959Z"},
	{name: "the last second", lines: `user-1@example.com valid-before="20261121101112Z" KEY`, at: "20261121101112Z", want: true},
	{name: "the second behind", lines: `user-1@example.com valid-before="20261121101112Z" KEY`, at: "20261121101113Z"},
	{name: "minutes", lines: `user-1@example.com valid-before="202611211011z" KEY`, at: "20261121101100Z", want: true},
	{name: "behind the minute", lines: `user-1@example.com valid-before="202611211011Z" KEY`, at: "20261121101101Z"},
	{name: "UTC", lines: `user-1@example.com valid-before="202611211011UTC" KEY`, at: "20261121101100Z", zone: "Europe/Berlin", want: true},
	{name: "local winter", lines: `user-1@example.com valid-after="20260115120000" KEY`, at: "20260115110000Z", zone: "Europe/Berlin", want: true},
	{name: "local winter, before", lines: `user-1@example.com valid-after="20260115120000" KEY`, at: "20260115105959Z", zone: "Europe/Berlin"},
	{name: "local summer is standard time", lines: `user-1@example.com valid-after="20260715120000" KEY`, at: "20260715110000Z", zone: "Europe/Berlin", want: true},
	{name: "local summer is standard time, before", lines: `user-1@example.com valid-after="20260715120000" KEY`, at: "20260715105959Z", zone: "Europe/Berlin"},
	{name: "west", lines: `user-1@example.com valid-after="20260115" KEY`, at: "20260115050000Z", zone: "America/New_York", want: true},
	{name: "west, before", lines: `user-1@example.com valid-after="20260115" KEY`, at: "20260115045959Z", zone: "America/New_York"},
	{name: "dashes", lines: `user-1@example.com valid-after="1980-01-01" KEY`},
	{name: "year only", lines: `user-1@example.com valid-after="1980" KEY`},
	{name: "month 13", lines: `user-1@example.com valid-after="19801301" KEY`},
	{name: "day 32", lines: `user-1@example.com valid-after="19800132" KEY`},
	{name: "day 0", lines: `user-1@example.com valid-after="19800100" KEY`},
	{name: "hour 24", lines: `user-1@example.com valid-after="198001012400" KEY`},
	{name: "minute 60", lines: `user-1@example.com valid-after="198001010060" KEY`},
	{name: "second 61", lines: `user-1@example.com valid-after="19800101000061" KEY`, want: true},
	{name: "second 62", lines: `user-1@example.com valid-after="19800101000062" KEY`},
	{name: "30 February is 2 March", lines: `user-1@example.com valid-after="20260230Z" KEY`, at: "20260302Z", want: true},
	{name: "30 February is not 1 March", lines: `user-1@example.com valid-after="20260230Z" KEY`, at: "20260301Z"},
	{name: "the epoch", lines: `user-1@example.com valid-after="19700101Z" KEY`},
	{name: "before the epoch", lines: `user-1@example.com valid-after="19690101Z" KEY`},
	{name: "letters in a date", lines: `user-1@example.com valid-after="1980O101" KEY`},
	{name: "sign in a date", lines: `user-1@example.com valid-after="1980+101" KEY`},
	{name: "blank in a time", lines: `user-1@example.com valid-after="1980010100 1" KEY`, safer: true},
	{name: "time not quoted", lines: `user-1@example.com valid-after=19800101 KEY`},
	{name: "after twice", lines: `user-1@example.com valid-after="19800101",valid-after="19800101" KEY`},
	{name: "before twice", lines: `user-1@example.com valid-before="20300101",valid-before="20300101" KEY`},
	{name: "before is after after", lines: `user-1@example.com valid-after="20300101",valid-before="19800101" KEY`},
	{name: "before is after", lines: `user-1@example.com valid-after="20200101",valid-before="20200101" KEY`, at: "20200101Z"},

	{name: "damaged key", lines: `user-1@example.com ssh-ed25519 AAAA`},
	{name: "two keys", lines: `user-1@example.com WRONG KEY`},
}

const (
	years80  = `user-1@example.com valid-after="19800101",valid-before="19900101" KEY`
	twoSpans = years80 + "\n" + `user-1@example.com valid-after="19850101",valid-before="20000101" KEY`
)

// fill puts the keys in and the defaults.
func (c allowedCase) fill(key, wrong sshsig.Key) allowedCase {
	c.lines = strings.ReplaceAll(strings.ReplaceAll(c.lines, "KEY", key.String()), "WRONG", wrong.String())
	for _, d := range []struct {
		field *string
		value string
	}{{&c.as, "user-1@example.com"}, {&c.ns, "test-1"}, {&c.at, "20261121120000Z"}, {&c.zone, "UTC"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	return c
}
