package lockfile_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/distributed-trust/distrust/records/subject/lockfile"
)

// big makes lock files of n artifacts, as large for each as those of projects are.
func big(name string, n int) []byte {
	var b bytes.Buffer
	sum := func(i int) []byte { s := sha512.Sum512(fmt.Append(nil, i)); return s[:] }
	switch name {
	case "package-lock.json":
		b.WriteString("{\n  \"name\": \"app\",\n  \"lockfileVersion\": 3,\n  \"packages\": {\n    \"\": {}")
		for i := range n {
			fmt.Fprintf(&b, ",\n    \"node_modules/package-%d\": {\n      \"version\": \"1.0.%d\",\n      \"resolved\": \"https://registry.npmjs.org/package-%d/-/package-%d-1.0.%d.tgz\",\n"+
				"      \"integrity\": \"sha512-%s\",\n      \"license\": \"MIT\",\n      \"dependencies\": {\n        \"left-pad\": \"^1.0.0\"\n      },\n      \"engines\": {\n        \"node\": \">=10\"\n      }\n    }",
				i, i, i, i, i, base64.StdEncoding.EncodeToString(sum(i)))
		}
		b.WriteString("\n  }\n}\n")
	case "Cargo.lock":
		b.WriteString("version = 4\n")
		for i := range n {
			fmt.Fprintf(&b, "\n[[package]]\nname = \"crate-%d\"\nversion = \"1.0.%d\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"%x\"\n"+
				"dependencies = [\n \"serde\",\n \"libc\",\n]\n", i, i, sum(i)[:32])
		}
	case "requirements.txt":
		for i := range n {
			fmt.Fprintf(&b, "project-%d==1.0.%d \\\n    --hash=sha256:%x\n    # via app\n", i, i, sum(i)[:32])
		}
	}
	return b.Bytes()
}

func BenchmarkRead(b *testing.B) {
	for _, name := range []string{"package-lock.json", "Cargo.lock", "requirements.txt"} {
		for _, n := range []int{1000, 30_000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				text := big(name, n)
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					got, err := lockfile.Read(bytes.NewReader(text), name)
					if err != nil || len(got.Artifacts) != n {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
