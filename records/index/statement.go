package index

import (
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// said is one record as a store keeps it beside its bytes: the statement, and what says whether
// it counts. The log and whether the record is void are not part of it: the store knows the one,
// the state of the log's keys the other.
type said struct {
	st       trust.Statement
	by       string // the issuer's key, "type base64"
	path     string // in the repository
	vanished bool
}

const flagVanished = 1

// encodeStatement writes what st says, its log and flags aside.
func encodeStatement(e *encoder, st *trust.Statement) {
	e.string(st.ID)
	e.string(string(st.Kind))
	e.int(st.Issued)
	e.int(st.Expires)
	e.string(st.Project)
	e.string(st.Version)
	e.uint(uint64(len(st.Subjects)))
	for i := range st.Subjects {
		encodeSubject(e, &st.Subjects[i])
	}
	e.string(string(st.Category))
	e.string(string(st.Basis))
	e.int(int64(st.Strength))
	e.string(st.Reason)
	e.strings(st.Seen)
	e.string(st.Source.Log)
	e.string(st.Source.URL)
	e.string(st.Source.Key)
	e.int(int64(st.Weight))
	e.int(int64(st.Depth))
	e.strings(st.Scopes)
	e.strings(st.Withdraws)
}

func encodeSubject(e *encoder, s *schema.Subject) {
	e.string(s.File)
	e.int(s.Size)
	e.string(s.Digest.SHA256)
	e.string(s.Digest.SHA512)
	e.string(s.Signer)
	e.string(s.Cert)
	e.strings(s.Pattern)
	e.string(s.Git.Commit)
	e.string(s.Git.Tree)
	e.string(s.Release)
	e.string(s.Project)
}

// subjectFields is how many bytes a subject takes at least: one for each field.
const subjectFields = 11

func decodeStatement(d *decoder, log string) trust.Statement {
	st := trust.Statement{Log: log, Indexed: true}
	st.ID = d.string()
	st.Kind = schema.Kind(d.string())
	st.Issued = d.int()
	st.Expires = d.int()
	st.Project = d.string()
	st.Version = d.string()
	if n := d.count(subjectFields); n > 0 {
		st.Subjects = make([]schema.Subject, n)
		for i := range st.Subjects {
			st.Subjects[i] = decodeSubject(d)
		}
	}
	st.Category = schema.Category(d.string())
	st.Basis = schema.Basis(d.string())
	st.Strength = int(d.int())
	st.Reason = d.string()
	st.Seen = d.strings()
	st.Source.Log = d.string()
	st.Source.URL = d.string()
	st.Source.Key = d.string()
	st.Weight = int(d.int())
	st.Depth = int(d.int())
	st.Scopes = d.strings()
	st.Withdraws = d.strings()
	return st
}

func decodeSubject(d *decoder) schema.Subject {
	return schema.Subject{
		File: d.string(), Size: d.int(),
		Digest: schema.Digest{SHA256: d.string(), SHA512: d.string()},
		Signer: d.string(), Cert: d.string(), Pattern: d.strings(),
		Git:     schema.GitID{Commit: d.string(), Tree: d.string()},
		Release: d.string(), Project: d.string(),
	}
}

// encodeSaid writes the part of a record frame that answers without YAML.
func encodeSaid(e *encoder, s *said) {
	var flags byte
	if s.vanished {
		flags |= flagVanished
	}
	e.b = append(e.b, flags)
	e.string(s.by)
	e.string(s.path)
	encodeStatement(e, &s.st)
}

// decodeSaid reads it. keys says which records of the log are void.
func decodeSaid(d *decoder, keys *records.Log) said {
	flags := d.byte()
	s := said{vanished: flags&flagVanished != 0, by: d.string(), path: d.string()}
	s.st = decodeStatement(d, keys.ID)
	s.st.Vanished = s.vanished
	s.st.Void = void(keys, s.by, s.st.ID)
	return s
}

// saidOf is what the store keeps of an opened record.
func saidOf(e Entry) said {
	return said{
		st:       trust.FromRecord(e.Record, false, e.Vanished),
		by:       e.Record.Key().String(),
		path:     e.Record.Path(),
		vanished: e.Vanished,
	}
}

// void is [records.Log.Void] for a record that is not opened: by is its key (F5.8). A key that the
// log does not list counts as compromised (F5.4).
func void(log *records.Log, by, id string) bool {
	for i := range log.Keys {
		if log.Keys[i].Key == by && log.Keys[i].State != schema.Compromised {
			return false
		}
	}
	for _, kept := range log.Keep {
		if kept == id {
			return false
		}
	}
	return true
}

// listed says whether the log lists the key, in whatever state; records of others cannot be opened.
func listed(log *records.Log, by string) bool {
	for i := range log.Keys {
		if log.Keys[i].Key == by {
			return true
		}
	}
	return false
}
