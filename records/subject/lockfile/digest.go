package lockfile

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/schema"
)

// digestOf is one digest by the name of its algorithm; false when it is none of ours.
func digestOf(algorithm string, sum []byte) (schema.Digest, bool) {
	switch {
	case algorithm == "sha256" && len(sum) == sha256.Size:
		return schema.Digest{SHA256: hex.EncodeToString(sum)}, true
	case algorithm == "sha512" && len(sum) == sha512.Size:
		return schema.Digest{SHA512: hex.EncodeToString(sum)}, true
	}
	return schema.Digest{}, false
}

// hexDigest reads ALGORITHM and HEX. Of an algorithm that is not ours the digest is empty.
func (c *collector) hexDigest(line int, algorithm, value string) (schema.Digest, error) {
	if algorithm != "sha256" && algorithm != "sha512" {
		return schema.Digest{}, nil
	}
	sum, err := hex.DecodeString(value)
	d, ok := digestOf(algorithm, sum)
	if err != nil || !ok {
		return d, c.refuse(line, "not a digest of %s", algorithm)
	}
	return d, nil
}

// integrity reads what npm and yarn call so: ALGORITHM-BASE64, several with spaces between. They check those of the
// strongest algorithm only, any of which will do; what stands beside it was never looked at, and is not believed here.
func (c *collector) integrity(line int, value string) ([]schema.Digest, error) {
	strength := []string{"sha1", "sha256", "sha384", "sha512"} // weak to strong
	best, sums := "", []string(nil)
	for _, part := range strings.Fields(value) {
		algorithm, sum, ok := strings.Cut(part, "-")
		sum, _, _ = strings.Cut(sum, "?") // options, which nothing reads
		if !ok || sum == "" {
			return nil, c.refuse(line, "an integrity that is not ALGORITHM-BASE64")
		}
		switch rank := slices.Index(strength, algorithm); {
		case rank > slices.Index(strength, best):
			best, sums = algorithm, []string{sum}
		case algorithm == best:
			sums = append(sums, sum)
		}
	}
	if best != "sha256" && best != "sha512" {
		return nil, nil
	}
	digests := make([]schema.Digest, 0, len(sums))
	for _, s := range sums {
		sum, err := base64.StdEncoding.Strict().DecodeString(s)
		d, ok := digestOf(best, sum)
		if err != nil || !ok {
			return nil, c.refuse(line, "not an integrity of %s", best)
		}
		digests = append(digests, d)
	}
	return digests, nil
}
