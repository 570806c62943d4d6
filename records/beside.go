package records

import (
	"bytes"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/schema"
)

// GitAttributesText is the file .gitattributes of a trust repository (F4): git must not change line
// ends, since what is signed are bytes.
const GitAttributesText = "* -text\n"

// MaxBesideBytes is how much is read of a file beside a set: more than a head of the greatest length
// can give. A longer one is not what it should be.
const MaxBesideBytes = 256 << 10

// ReadBeside says whether the bytes of a file at the top of a repository are what [Beside] looks at.
func ReadBeside(name string) bool { return name == AllowedSigners || name == GitAttributes }

// Beside holds what lies at the top of a repository beside the set (F4) to the head in force:
// allowed_signers is what the keys of the head give, .gitattributes keeps git from changing bytes,
// README.md is there, and no name differs from one of ours in case only, which some systems take
// for the same file. top has every name; its bytes where [ReadBeside] says so, at most
// [MaxBesideBytes] + 1 of them. Nothing of this changes what a set says: readers of ours do not
// read these files, stock tools do.
func Beside(head schema.Head, top map[string][]byte) []*Refusal {
	var odd []*Refusal
	b, ok := top[AllowedSigners]
	switch want := AllowedSignersFile(head); {
	case !ok:
		odd = append(odd, refuse(AllowedSigners, "F4", "it is missing: ssh-keygen cannot verify anything"))
	case !bytes.Equal(b, want):
		r := refuse(AllowedSigners, "F4", "it is not what the keys of the head give")
		r.Line = firstDifference(b, want)
		odd = append(odd, r)
	}
	b, ok = top[GitAttributes]
	switch {
	case !ok:
		odd = append(odd, refuse(GitAttributes, "F4", "it is missing: git may change the line ends of what is signed"))
	case string(b) != GitAttributesText:
		odd = append(odd, refuse(GitAttributes, "F4", "it is not the one line `%s`", strings.TrimSpace(GitAttributesText)))
	}
	if _, ok := top[Readme]; !ok {
		odd = append(odd, refuse(Readme, "F4", "it is missing: visitors learn nothing of what this is"))
	}
	ours := []string{HeadFile, HeadSignatureFile, RecordsFolder, KeysFolder, AllowedSigners, GitAttributes, Readme}
	for name := range top {
		for _, our := range ours {
			if name != our && strings.EqualFold(name, our) {
				odd = append(odd, refuse(name, "F4", "on some systems it is the same file as %s", our))
			}
		}
	}
	slices.SortStableFunc(odd, func(a, b *Refusal) int { return strings.Compare(a.Path, b.Path) })
	return odd
}

// firstDifference is the number of the first line in which two files differ.
func firstDifference(a, b []byte) int {
	theirs := bytes.SplitAfter(b, []byte("\n"))
	for i, line := range bytes.SplitAfter(a, []byte("\n")) {
		if i >= len(theirs) || !bytes.Equal(line, theirs[i]) {
			return i + 1
		}
	}
	return len(theirs)
}
