package index

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// class says by what a record is found.
type class byte

const (
	classSHA256   class = 'd' // digest of a file
	classSHA512   class = 'D'
	classGit      class = 'g' // git commit or tree
	classSigner   class = 's' // signer, whole identity
	classPattern  class = 'P' // pattern for which a signer is trusted
	classRelease  class = 'r' // reported release: project NUL version
	classProject  class = 'p' // reported project
	classNamed    class = 'n' // trusted file by project NUL name, the project "" too (M of D4)
	className     class = 'N' // trusted file of a project by name alone (name twins)
	classWithdraw class = 'w' // withdraw by the id that it takes back
	classLog      class = 'L' // log by its id; the posting names no record
)

// hashKey is where a key of a class lies among all keys: the first 8 bytes of SHA-256, so that
// nobody can choose keys that pile up, and so that they spread evenly.
func hashKey(c class, key string) uint64 {
	b := make([]byte, 0, 160)
	b = append(b, byte(c))
	b = append(b, key...)
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// hashID is where a record id lies among all ids: its own first 8 bytes, so that the ids with a
// common prefix lie side by side.
func hashID(id string) uint64 {
	var b [8]byte
	if len(id) >= 16 {
		_, _ = hex.Decode(b[:], []byte(id[:16])) // ids are hex; anything else is only not found
	}
	return binary.BigEndian.Uint64(b[:])
}

// idRange is the first and last hash of the ids that begin with prefix.
func idRange(prefix string) (from, to uint64, ok bool) {
	if len(prefix) > 16 {
		prefix = prefix[:16]
	}
	pad := 16 - len(prefix)
	low, err := hex.DecodeString(prefix + strings.Repeat("0", pad))
	if err != nil {
		return 0, 0, false
	}
	high, err := hex.DecodeString(prefix + strings.Repeat("f", pad))
	if err != nil {
		return 0, 0, false
	}
	return binary.BigEndian.Uint64(low), binary.BigEndian.Uint64(high), true
}

// keysOf appends where a statement is to be found, apart from its id. The order is that of the
// statement; a key may come twice.
func keysOf(hashes []uint64, st *trust.Statement) []uint64 {
	for _, id := range st.Withdraws {
		hashes = append(hashes, hashKey(classWithdraw, id))
	}
	for i := range st.Subjects {
		hashes = subjectKeys(hashes, st, &st.Subjects[i])
	}
	return hashes
}

func subjectKeys(hashes []uint64, st *trust.Statement, s *schema.Subject) []uint64 {
	add := func(c class, key string) {
		if key != "" {
			hashes = append(hashes, hashKey(c, key))
		}
	}
	add(classSHA256, s.Digest.SHA256)
	add(classSHA512, s.Digest.SHA512)
	add(classGit, gitKey(s.Git))
	add(classSigner, s.Signer)
	add(classProject, s.Project)
	if project, version, ok := schema.SplitRelease(s.Release); ok {
		add(classRelease, pairKey(project, version))
	}
	if st.Kind != schema.KindTrust {
		return hashes
	}
	for _, pattern := range s.Pattern {
		add(classPattern, pattern)
	}
	if s.File != "" {
		add(classNamed, pairKey(st.Project, s.File))
		if st.Project != "" {
			add(className, s.File)
		}
	}
	return hashes
}

// pairKey joins two strings that hold no NUL (F1).
func pairKey(a, b string) string { return a + "\x00" + b }

func gitKey(g schema.GitID) string {
	switch {
	case g.Commit != "":
		return "commit:" + g.Commit
	case g.Tree != "":
		return "tree:" + g.Tree
	}
	return ""
}

// patternsFor lists every pattern that matches the project (F2): itself, each of its folders with
// "/*", and "*".
func patternsFor(project string) []string {
	patterns := []string{project}
	for at := strings.LastIndexByte(project, '/'); at > 0; at = strings.LastIndexByte(project[:at], '/') {
		patterns = append(patterns, project[:at]+"/*")
	}
	return append(patterns, "*")
}

// ref names one record: the number of its log and where its frame begins in the log's store.
type ref uint64

const (
	offBits = 40 // of store.MaxSize
	maxLogs = 1 << (64 - offBits)
)

func makeRef(log uint32, off int64) uint64 { return uint64(log)<<offBits | uint64(off) }

func (r ref) log() uint32 { return uint32(r >> offBits) }
func (r ref) off() int64  { return int64(r & (1<<offBits - 1)) }
