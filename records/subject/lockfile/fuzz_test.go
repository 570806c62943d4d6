package lockfile_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/distributed-trust/distrust/records/subject/lockfile"
	"github.com/distributed-trust/distrust/schema"
)

// names are one of each format.
var names = []string{"package-lock.json", "yarn.lock", "Cargo.lock", "poetry.lock", "uv.lock", "requirements.txt", "Gemfile.lock"}

// FuzzRead reads anything as each of the formats: what comes out can be asked about and written down.
func FuzzRead(f *testing.F) {
	for i, name := range names {
		files, err := filepath.Glob("testdata/*/" + name)
		if err != nil || len(files) == 0 {
			f.Fatal(name, err)
		}
		for _, path := range files {
			b, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(byte(i), b)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		name := names[int(which)%len(names)]
		got, err := lockfile.Read(bytes.NewReader(b), name)
		if err != nil {
			if got != nil {
				t.Errorf("%v, and %+v", err, got)
			}
			return
		}
		for _, a := range got.Artifacts {
			short, err := hex.DecodeString(a.Digest.SHA256)
			long, wrong := hex.DecodeString(a.Digest.SHA512)
			if err != nil || wrong != nil || len(short)+len(long) != 32 && len(short)+len(long) != 64 || len(short) != 0 && len(short) != 32 {
				t.Errorf("digest %+v", a.Digest)
			}
			if schema.ValidProject(a.Project) != nil || a.Version != "" && schema.ValidVersion(a.Version) != nil || schema.ValidText(a.Name) != nil {
				t.Errorf("%+v", a)
			}
			if again, _, err := schema.NormalizeProject(a.Project); again != a.Project || err != nil {
				t.Errorf("%s becomes %s: %v", a.Project, again, err)
			}
			if a.Line < 1 || a.Line > bytes.Count(b, []byte("\n"))+1 {
				t.Errorf("line %d", a.Line)
			}
		}
		for _, s := range got.Skipped {
			if s.Line < 1 || s.Reason == "" {
				t.Errorf("%+v", s)
			}
		}
		if again, err := lockfile.Read(bytes.NewReader(b), name); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("a second time: %v", err)
		}
	})
}
