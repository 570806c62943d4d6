package render

import _ "embed" // the schemas are part of the program

// The published schemas.
var (
	//go:embed alarm.schema.json
	alarmSchema []byte
	//go:embed change.schema.json
	changeSchema []byte
	//go:embed check.schema.json
	checkSchema []byte
	//go:embed doctor.schema.json
	doctorSchema []byte
	//go:embed journal.schema.json
	journalSchema []byte
	//go:embed key.schema.json
	keySchema []byte
	//go:embed record.schema.json
	recordSchema []byte
	//go:embed source.schema.json
	sourceSchema []byte
	//go:embed sync.schema.json
	syncSchema []byte
	//go:embed version.schema.json
	versionSchema []byte
)

// Schemas are the published JSON Schemas of everything that --json prints (C1), by name: check (also
// why), record (list, show, and the commands that make records), source (sources, follow), change (follow
// --dry-run), sync, alarm, journal, key, doctor and version. They are not to be changed.
func Schemas() map[string][]byte {
	return map[string][]byte{
		"alarm":   alarmSchema,
		"change":  changeSchema,
		"check":   checkSchema,
		"doctor":  doctorSchema,
		"journal": journalSchema,
		"key":     keySchema,
		"record":  recordSchema,
		"source":  sourceSchema,
		"sync":    syncSchema,
		"version": versionSchema,
	}
}
