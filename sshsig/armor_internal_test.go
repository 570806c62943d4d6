package sshsig

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzArmor: what is read holds one block that encoding/pem reads alike, without an empty line in it,
// and what is written is read.
func FuzzArmor(f *testing.F) {
	seeds, err := filepath.Glob("testdata/openssh/*.sig")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range seeds {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, s := range []string{"", armorBegin, armorBegin + armorEnd, armorBegin + "AA==\n" + armorEnd, armorBegin + "A\nA==\n" + armorEnd + "\n \t", armorBegin + "A\n\nA==\n" + armorEnd, armorBegin + "a: b\n\nAA==\n" + armorEnd} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < MaxArmored/2 && len(b) > 0 {
			if wire, err := dearmor(armor(b)); err != nil || !bytes.Equal(wire, b) {
				t.Fatalf("written and read: %x, %v, want %x", wire, err, b)
			}
		}
		wire, err := dearmor(b)
		if err != nil {
			if !errors.As(err, new(*FormatError)) || wire != nil {
				t.Fatalf("%x, %v", wire, err)
			}
			return
		}
		block, rest := pem.Decode(b)
		if block == nil || len(block.Headers) != 0 || !bytes.Equal(block.Bytes, wire) || len(bytes.TrimSpace(rest)) != 0 ||
			bytes.Contains(bytes.TrimSpace(b), []byte("\n\n")) {
			t.Fatalf("encoding/pem reads %q differently: %+v", b, block)
		}
	})
}
