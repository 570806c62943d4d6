package index

import (
	"encoding/json"

	"github.com/distributed-trust/distrust/records/index/internal/codec"
	"github.com/distributed-trust/distrust/records/trust"
)

// sourceRow is a log in the table that Network reads in one piece.
type sourceRow struct {
	num             uint32
	log, name       string
	head            bool // it has one
	issued, expires int64
	edges           bool // it has follows
}

func (l *logState) row() sourceRow {
	r := sourceRow{num: l.num, log: l.Log, name: l.Name, edges: l.Edges > 0}
	if l.HeadID != "" {
		r.head, r.issued, r.expires = true, l.Issued.Unix(), l.Expires.Unix()
	}
	return r
}

func encodeRows(rows []sourceRow) []byte {
	var e codec.Encoder
	e.Uint(uint64(len(rows)))
	for _, r := range rows {
		encodeBool(&e, r.head)
		encodeBool(&e, r.edges)
		e.Uint(uint64(r.num))
		e.Text(r.log)
		e.Text(r.name)
		e.Int(r.issued)
		e.Int(r.expires)
	}
	return e.B
}

// minRow is how many bytes a row takes at least.
const minRow = 7

func decodeRow(d *codec.Decoder) sourceRow {
	return sourceRow{
		head: d.Byte() != 0, edges: d.Byte() != 0, num: uint32(d.Uint()),
		log: d.Text(), name: d.Text(), issued: d.Int(), expires: d.Int(),
	}
}

func decodeRows(b []byte) ([]sourceRow, error) {
	d := codec.Decode(b)
	rows := make([]sourceRow, d.Count(minRow))
	for i := range rows {
		rows[i] = decodeRow(d)
	}
	return rows, d.Finish()
}

// configVersion is the version of the form in which a generation keeps the configuration. Before there
// were versions it was JSON, which begins with formerForm.
const (
	configVersion = 1
	formerForm    = '{'
)

func encodeConfig(c Config) []byte {
	var e codec.Encoder
	e.Text(c.Stamp)
	if c.IsZero() {
		return e.B
	}
	e.Byte(configVersion)
	e.Int(int64(c.Policy.Trust))
	e.Int(int64(c.Policy.Block))
	encodeBool(&e, c.Journal)
	e.Texts(c.Own)
	e.Uint(uint64(len(c.Follows)))
	for i := range c.Follows {
		f := &c.Follows[i]
		e.Text(f.Name)
		e.Text(f.Log)
		e.Int(int64(f.Weight))
		e.Int(int64(f.Depth))
		e.Int(int64(f.ViaMax))
		e.Texts(f.Scopes)
		e.Int(f.Expires)
	}
	return e.B
}

// minFollow is how many bytes a follow takes at least.
const minFollow = 7

// decodeConfig reads a configuration. One in a form of another version is none: whoever reads it compiles
// it again. Whose word was the user's own is kept from the form of before, for nothing else may know of a
// home that is gone.
func decodeConfig(b []byte) (Config, error) {
	d := codec.Decode(b)
	c := Config{Stamp: d.Text()}
	if c.IsZero() {
		return c, d.Finish()
	}
	switch version := d.Byte(); {
	case version == formerForm:
		var former struct{ Own []string }
		err := json.Unmarshal([]byte(string(formerForm)+d.Rest()), &former)
		return Config{Own: former.Own}, err
	case version != configVersion && !d.Bad():
		return Config{}, nil
	}
	c.Policy = trust.Policy{Trust: d.Short(), Block: d.Short()}
	c.Journal, c.Own = d.Byte() != 0, d.Texts()
	if n := d.Count(minFollow); n > 0 {
		c.Follows = make([]trust.Follow, n)
	}
	for i := range c.Follows {
		c.Follows[i] = trust.Follow{
			Name: d.Text(), Log: d.Text(), Weight: d.Short(), Depth: d.Short(), ViaMax: d.Short(),
			Scopes: d.Texts(), Expires: d.Int(),
		}
	}
	return c, d.Finish()
}
