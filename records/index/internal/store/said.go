package store

import (
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index/internal/codec"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// Said is one record as a store keeps it beside its bytes: the statement, and what says whether
// it counts. In the store it is without the log, which is the store's, and without whether it is
// void, which depends on the states of the log's keys by the time of reading.
type Said struct {
	Statement trust.Statement
	By        string // the issuer's key, "type base64"
	Path      string // in the repository
}

// SaidOf is what a store keeps of an opened record. Vanished: a report that left the published
// set without a withdraw (F5.7).
func SaidOf(r records.Record, vanished bool) Said {
	return Said{Statement: trust.FromRecord(r, false, vanished), By: r.Key().String(), Path: r.Path()}
}

// Bytes are the encoded form.
func (s *Said) Bytes() []byte {
	var e codec.Encoder
	var flags byte
	if s.Statement.Vanished {
		flags |= flagVanished
	}
	e.Byte(flags)
	e.Text(s.By)
	e.Text(s.Path)
	encodeStatement(&e, &s.Statement)
	return e.B
}

// ReadSaid reads the encoded form. keys is the log, and says which of its records are void.
func ReadSaid(text string, keys *records.Log) (Said, error) {
	d := codec.DecodeText(text)
	flags := d.Byte()
	s := Said{By: d.Text(), Path: d.Text()}
	s.Statement = decodeStatement(d, keys.ID)
	s.Statement.Vanished = flags&flagVanished != 0
	s.Statement.Void = Void(keys, s.By, s.Statement.ID)
	return s, d.Finish()
}

const flagVanished = 1

// encodeStatement writes what st says, its log and flags aside.
func encodeStatement(e *codec.Encoder, st *trust.Statement) {
	e.Text(st.ID)
	e.Text(string(st.Kind))
	e.Int(st.Issued)
	e.Int(st.Expires)
	e.Text(st.Project)
	e.Text(st.Version)
	e.Uint(uint64(len(st.Subjects)))
	for i := range st.Subjects {
		encodeSubject(e, &st.Subjects[i])
	}
	e.Text(string(st.Category))
	e.Text(string(st.Basis))
	e.Int(int64(st.Strength))
	e.Text(st.Reason)
	e.Texts(st.Seen)
	e.Text(st.Source.Log)
	e.Text(st.Source.URL)
	e.Text(st.Source.Key)
	e.Int(int64(st.Weight))
	e.Int(int64(st.Depth))
	e.Texts(st.Scopes)
	e.Texts(st.Withdraws)
}

func encodeSubject(e *codec.Encoder, s *schema.Subject) {
	e.Text(s.File)
	e.Int(s.Size)
	e.Text(s.Digest.SHA256)
	e.Text(s.Digest.SHA512)
	e.Text(s.Signer)
	e.Text(s.Cert)
	e.Texts(s.Pattern)
	e.Text(s.Git.Commit)
	e.Text(s.Git.Tree)
	e.Text(s.Release)
	e.Text(s.Project)
}

// subjectFields is how many bytes a subject takes at least: one for each field.
const subjectFields = 11

func decodeStatement(d *codec.Decoder, log string) trust.Statement {
	st := trust.Statement{Log: log, Indexed: true}
	st.ID = strings.Clone(d.Text()) // tables of ids must not keep all the text that they came from
	st.Kind = schema.Kind(d.Text())
	st.Issued = d.Int()
	st.Expires = d.Int()
	st.Project = d.Text()
	st.Version = d.Text()
	if n := d.Count(subjectFields); n > 0 {
		st.Subjects = make([]schema.Subject, n)
		for i := range st.Subjects {
			st.Subjects[i] = decodeSubject(d)
		}
	}
	st.Category = schema.Category(d.Text())
	st.Basis = schema.Basis(d.Text())
	st.Strength = int(d.Int())
	st.Reason = d.Text()
	st.Seen = d.Texts()
	st.Source.Log = d.Text()
	st.Source.URL = d.Text()
	st.Source.Key = d.Text()
	st.Weight = int(d.Int())
	st.Depth = int(d.Int())
	st.Scopes = d.Texts()
	st.Withdraws = d.Texts()
	return st
}

func decodeSubject(d *codec.Decoder) schema.Subject {
	return schema.Subject{
		File: d.Text(), Size: d.Int(),
		Digest: schema.Digest{SHA256: d.Text(), SHA512: d.Text()},
		Signer: d.Text(), Cert: d.Text(), Pattern: d.Texts(),
		Git:     schema.GitID{Commit: d.Text(), Tree: d.Text()},
		Release: d.Text(), Project: d.Text(),
	}
}

// Void is [records.Log.Void] for a record that is not opened: by is its key (F5.8). A key that the
// log does not list counts as compromised (F5.4).
func Void(log *records.Log, by, id string) bool {
	counts := func(k schema.Key) bool { return k.Key == by && k.State != schema.Compromised }
	return !slices.ContainsFunc(log.Keys, counts) && !slices.Contains(log.Keep, id)
}

// listed says whether the log lists the key, in whatever state; records of others cannot be opened.
func listed(log *records.Log, by string) bool {
	return slices.ContainsFunc(log.Keys, func(k schema.Key) bool { return k.Key == by })
}
