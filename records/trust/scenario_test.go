package trust

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/schema"
)

// scenario is one entry of decision*.yaml. What testdata/decision.yaml does not use is an addition
// of ours; testdata/decision-own.yaml says what it means.
type scenario struct {
	ID          int                      `yaml:"id"`
	Name        string                   `yaml:"name"`
	Project     string                   `yaml:"project"`
	Query       *queryVector             `yaml:"query"`
	Now         int64                    `yaml:"now"`
	Follows     map[string]*followVector `yaml:"follows"`
	Edges       []edgeVector             `yaml:"edges"`
	Records     []recordVector           `yaml:"records"`
	Withdraws   []withdrawVector         `yaml:"withdraws"`
	HardRevoked []string                 `yaml:"hard_revoked"`
	Stale       []string                 `yaml:"stale"`
	Want        wantVector               `yaml:"want"`
}

type queryVector struct {
	File       string            `yaml:"file"`
	Version    string            `yaml:"version"`
	Digest     string            `yaml:"digest"`
	Signatures []signatureVector `yaml:"signatures"`
}

type signatureVector struct {
	Signer string         `yaml:"signer"`
	State  SignatureState `yaml:"state"`
}

type followVector struct {
	Weight  int      `yaml:"weight"`
	Depth   int      `yaml:"depth"`
	ViaMax  *int     `yaml:"via_max"`
	Scopes  []string `yaml:"scopes"`
	Expires int64    `yaml:"expires"`
}

type edgeVector struct {
	ID      string   `yaml:"id"`
	From    string   `yaml:"from"`
	To      string   `yaml:"to"`
	Weight  int      `yaml:"weight"`
	Depth   int      `yaml:"depth"`
	Scopes  []string `yaml:"scopes"`
	Issued  int64    `yaml:"issued"`
	Expires int64    `yaml:"expires"`
}

type recordVector struct {
	ID       string   `yaml:"id"`
	By       string   `yaml:"by"`
	Kind     string   `yaml:"kind"`
	Level    string   `yaml:"level"`
	Issued   int64    `yaml:"issued"`
	Expires  int64    `yaml:"expires"`
	Strength *int     `yaml:"strength"`
	Seen     []string `yaml:"seen"`
	Void     bool     `yaml:"void"`

	Project  *string  `yaml:"project"`
	Version  *string  `yaml:"version"`
	File     *string  `yaml:"file"`
	Signer   *string  `yaml:"signer"`
	Projects []string `yaml:"projects"`
}

type withdrawVector struct {
	ID   string `yaml:"id"`
	By   string `yaml:"by"`
	Void bool   `yaml:"void"`
}

type wantVector struct {
	For      int      `yaml:"for"`
	Against  int      `yaml:"against"`
	Verdict  string   `yaml:"verdict"`
	Unseen   *int     `yaml:"unseen"`
	Other    *int     `yaml:"other"`
	By       string   `yaml:"by"`
	Voices   []string `yaml:"voices"`
	Findings []string `yaml:"findings"`
	Stale    []string `yaml:"stale"`
	Enough   []string `yaml:"enough"`
}

const (
	vectorFile    = "requests-1.0.tar.gz"
	vectorVersion = "1.0"
	vectorSigner  = "ssh:the signer of the file"
	farAway       = int64(1) << 40
)

// vectorDigest makes a digest from a word; "" is the one of the file that is asked about.
func vectorDigest(word string) schema.Digest {
	return schema.Digest{SHA256: schema.RecordID([]byte("file " + word))}
}

// world builds the inputs of a decision from a scenario.
func (s *scenario) world() (Query, []Statement, *Network) {
	q := Query{
		Name: vectorFile, Size: -1, Digest: vectorDigest(""), Project: s.Project, Version: vectorVersion,
		Signatures: []Signature{{Format: "ssh", Signer: vectorSigner, State: SignatureGood}},
	}
	if s.Project == "" {
		q.Version = ""
	}
	if v := s.Query; v != nil {
		q.Version, q.Signatures = v.Version, nil
		if v.File != "" {
			q.Name = v.File
		}
		if v.Digest != "" {
			q.Digest = vectorDigest(v.Digest)
		}
		for _, x := range v.Signatures {
			q.Signatures = append(q.Signatures, Signature{Format: "ssh", Signer: x.Signer, State: x.State})
		}
	}
	net := &Network{Own: []string{"me"}}
	logs := map[string]bool{"me": true}
	for name, f := range s.Follows {
		follow := Follow{Name: name, Log: name, Weight: f.Weight, Depth: f.Depth, ViaMax: 50, Scopes: f.Scopes, Expires: f.Expires}
		if f.ViaMax != nil {
			follow.ViaMax = *f.ViaMax
		}
		net.Follows = append(net.Follows, follow)
		logs[name] = true
	}
	var statements, published []Statement
	for i, e := range s.Edges {
		if e.ID == "" {
			e.ID = fmt.Sprintf("edge %d", i)
		}
		published = append(published, Statement{
			ID: e.ID, Log: e.From, Kind: schema.KindFollow, Issued: e.Issued, Expires: e.Expires,
			Source: schema.FollowSource{Log: e.To}, Weight: e.Weight, Depth: e.Depth, Scopes: e.Scopes,
			Void: slices.Contains(s.HardRevoked, e.From),
		})
		logs[e.From], logs[e.To] = true, true
	}
	for _, r := range s.Records {
		statements = append(statements, r.statement(s))
		logs[r.By] = true
	}
	for i, w := range s.Withdraws {
		x := Statement{
			ID: fmt.Sprintf("withdraw %d", i), Log: w.By, Kind: schema.KindWithdraw, Withdraws: []string{w.ID},
			Void: w.Void || slices.Contains(s.HardRevoked, w.By),
		}
		statements = append(statements, x)
		published = append(published, x)
	}
	net.Edges = Edges(published)
	for log := range logs {
		expires := farAway
		if slices.Contains(s.Stale, log) {
			expires = s.Now
		}
		net.Sources = append(net.Sources, Source{Log: log, Name: log, Expires: expires})
	}
	net.Lost = s.HardRevoked
	return q, statements, net
}

func (r *recordVector) statement(s *scenario) Statement {
	x := Statement{
		ID: r.ID, Log: r.By, Kind: schema.Kind(r.Kind), Issued: r.Issued, Expires: r.Expires,
		Project: s.Project, Strength: 100, Seen: r.Seen,
		Void: r.Void || slices.Contains(s.HardRevoked, r.By),
	}
	if s.Project != "" {
		x.Version = vectorVersion
	}
	file := vectorFile
	if q := s.Query; q != nil {
		x.Version = q.Version
	}
	if r.Strength != nil {
		x.Strength = *r.Strength
	}
	set := func(at *string, to *string) {
		if to != nil {
			*at = *to
		}
	}
	set(&x.Project, r.Project)
	set(&x.Version, r.Version)
	set(&file, r.File)
	if x.Kind == schema.KindDistrust {
		x.Category = schema.Malware
	}
	subject := schema.Subject{Size: -1}
	switch r.Level {
	case "file":
		subject.File, subject.Digest = file, vectorDigest("")
	case "other-bytes":
		subject.File, subject.Digest = file, vectorDigest("other")
	case "signer":
		subject.Signer = vectorSigner
		set(&subject.Signer, r.Signer)
		if x.Kind == schema.KindTrust {
			subject.Pattern = []string{x.Project}
			if r.Projects != nil {
				subject.Pattern = r.Projects
			}
		}
	case "release":
		subject.Release = x.Project + "@" + x.Version
	case "project":
		subject.Project = x.Project
	default:
		panic("vector of level " + r.Level)
	}
	x.Subjects = []schema.Subject{subject}
	return x
}

// check decides a scenario and compares, also compiled and in another order.
func (s *scenario) check() error {
	q, statements, net := s.world()
	now := time.Unix(s.Now, 0)
	var all []error
	for range 2 {
		d := Decide(q, statements, net, DefaultPolicy(), now)
		all = append(all, s.compare(d))
		all = append(all, addsUp(d))
		if s.Want.Enough != nil {
			var enough []string
			for _, c := range Enough(q, statements, net, DefaultPolicy(), now) {
				enough = append(enough, strings.TrimSpace(fmt.Sprintf("%s %s%s %s", c.Kind, c.Log, c.Signer, c.Project)))
			}
			all = append(all, same("enough", enough, s.Want.Enough))
		}
		slices.Reverse(statements)
		slices.Reverse(net.Follows)
		slices.Reverse(net.Edges)
		slices.Reverse(net.Sources)
		net.Compile()
	}
	return errors.Join(all...)
}

// addsUp says whether the amounts of the voices add up to the sums (D4).
func addsUp(d Decision) error {
	yes, no, other := 0, 0, 0
	for _, v := range d.Voices {
		switch {
		case v.NotCounted != Counts && v.NotCounted != Overruled && v.Amount != 0:
			return fmt.Errorf("%s is %s and adds %d", v.Source, v.NotCounted, v.Amount)
		case v.Statement.Kind == schema.KindTrust:
			yes += v.Amount
		default:
			no += v.Amount
		}
	}
	for _, f := range d.Findings {
		if f.Source == "" {
			other = max(other, f.Amount)
		}
	}
	sum := 0
	for _, f := range d.Findings {
		if f.Source != "" {
			sum += f.Amount
		}
	}
	if yes != d.For || no != d.Against || max(other, sum) != d.Other {
		return fmt.Errorf("voices add up to %d, %d, %d, not to %d, %d, %d", yes, no, max(other, sum), d.For, d.Against, d.Other)
	}
	return nil
}

// verdictWords is a verdict as the vectors write it.
func verdictWords(d Decision) string {
	word := strings.ToUpper(string(d.Verdict))
	switch {
	case d.By == ByOwn, d.By == ByReported:
		return word + " " + string(d.By)
	case d.Disputed:
		return word + " disputed"
	}
	return word
}

func (s *scenario) compare(d Decision) error {
	w := s.Want
	var all []error
	number := func(what string, got, want int) {
		if got != want {
			all = append(all, fmt.Errorf("%s is %d, want %d", what, got, want))
		}
	}
	number("for", d.For, w.For)
	number("against", d.Against, w.Against)
	if w.Unseen != nil {
		number("unseen", d.Unseen, *w.Unseen)
	}
	if w.Other != nil {
		number("other", d.Other, *w.Other)
	}
	if got := verdictWords(d); got != w.Verdict {
		all = append(all, fmt.Errorf("verdict is %q, want %q", got, w.Verdict))
	}
	if w.By != "" && string(d.By) != w.By {
		all = append(all, fmt.Errorf("decided by %q, want %q", d.By, w.By))
	}
	if w.Voices != nil {
		var voices []string
		for _, v := range d.Voices {
			line := fmt.Sprintf("%s %d %s", v.Statement.ID, v.Amount, v.NotCounted)
			voices = append(voices, strings.TrimSpace(line))
		}
		all = append(all, same("voices", voices, w.Voices))
	}
	if w.Findings != nil {
		var findings []string
		for _, f := range d.Findings {
			findings = append(findings, fmt.Sprintf("%s %s %d %t", f.Kind, f.Statement.ID, f.Amount, f.Counted))
		}
		all = append(all, same("findings", findings, w.Findings))
	}
	if w.Stale != nil {
		var stale []string
		for _, x := range d.Stale {
			stale = append(stale, x.Log)
		}
		all = append(all, same("stale", stale, w.Stale))
	}
	return errors.Join(all...)
}

func same(what string, got, want []string) error {
	if slices.Equal(got, want) || len(got)+len(want) == 0 {
		return nil
	}
	return fmt.Errorf("%s are %q, want %q", what, got, want)
}
