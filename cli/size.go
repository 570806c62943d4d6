package cli

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/records/download"
)

const maxSizeFlagName = "max-size"

// maxSizeFlag bounds what is taken in from elsewhere: it need never end.
func maxSizeFlag() urfave.Flag {
	return &urfave.StringFlag{Name: maxSizeFlagName, Usage: "take no more than `SIZE`: 500M, 20G (8G unless given)"}
}

// maxSize is how many bytes --max-size allows.
func (in *Invocation) maxSize() (int64, error) {
	size := in.String(maxSizeFlagName)
	if size == "" {
		return download.MaxBytes, nil
	}
	n, err := parseSize(size)
	if err != nil {
		return 0, BadValue(maxSizeFlagName, err)
	}
	return n, nil
}

// parseSize reads a number of bytes, or of units of 1024 of them.
func parseSize(s string) (int64, error) {
	form := regexp.MustCompile(`^([0-9]+)(?:([KMGT])(?:iB)?)?$`).FindStringSubmatch(s)
	if form == nil {
		return 0, fmt.Errorf("%q is no size: write 500M, 20G, or a number of bytes", s)
	}
	shift := 0
	if form[2] != "" {
		shift = 10 * (1 + strings.Index("KMGT", form[2]))
	}
	n, err := strconv.ParseInt(form[1], 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64>>1>>shift {
		return 0, fmt.Errorf("%q is not a size that a file can have", s)
	}
	return n << shift, nil
}
