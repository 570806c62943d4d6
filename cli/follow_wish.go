package cli

import (
	"fmt"
	"strconv"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/source"
	"github.com/distributed-trust/distrust/schema"
)

// followWish is what the flags of follow ask for; what was not given stays unset.
type followWish struct {
	name        string
	weight      *int
	depth       *int
	scopes      []string
	newURL      string
	insecure    bool // newURL may be http:// or git://
	fingerprint string
	public      bool // say so in the user's own repository, too
}

func (in *Invocation) followWish() (followWish, error) {
	w := followWish{name: in.String("as"), insecure: in.Bool(insecureFlagName), public: in.Bool(publicFlagName)}
	if typed := in.String("url"); typed != "" {
		address, err := remoteURL(typed)
		if err == nil {
			err = source.CheckURL(address, w.insecure)
		}
		if err != nil {
			return w, err
		}
		w.newURL = address
	}
	if w.name != "" {
		if err := config.ValidName(w.name); err != nil {
			return w, BadValue("as", err)
		}
	}
	if in.Given(weightFlagName) {
		weight, err := config.ParseWeight(in.String(weightFlagName))
		if err != nil {
			return w, BadValue(weightFlagName, err)
		}
		w.weight = &weight
	}
	if in.Given(depthFlagName) {
		depth, err := parseDepth(in.String(depthFlagName))
		if err != nil {
			return w, BadValue(depthFlagName, err)
		}
		w.depth = &depth
	}
	for _, typed := range in.Strings(scopeFlagName) {
		pattern, err := schema.NormalizePattern(typed)
		if err != nil {
			return w, BadValue(scopeFlagName, err)
		}
		w.scopes = append(w.scopes, pattern)
	}
	if len(in.Operands) == 2 {
		w.fingerprint = in.Operands[1]
		if err := config.ValidFingerprint(w.fingerprint); err != nil {
			return w, usagef("%v", err)
		}
	}
	return w, nil
}

func parseDepth(s string) (int, error) {
	if len(s) != 1 || s[0] < '0' || s[0] > '0'+config.MaxDepth {
		return 0, fmt.Errorf("%q is no depth: 0 to %d", s, config.MaxDepth)
	}
	return int(s[0] - '0'), nil
}

// apply writes what was asked for into an entry of sources.yml.
func (w followWish) apply(s *config.Source) {
	if w.weight != nil {
		s.Weight = *w.weight
	}
	if w.depth != nil {
		s.Depth = *w.depth
	}
	if w.scopes != nil {
		s.Scopes = w.scopes
	}
	if w.newURL != "" {
		s.URL, s.Insecure = w.newURL, w.insecure
	}
	if w.name != "" {
		s.Name = w.name
	}
}

// mayPublish refuses a --public that could not be meant, before anything is fetched or changed.
func (w followWish) mayPublish(address string) error {
	switch {
	case !w.public:
		return nil
	case w.weight != nil && *w.weight == 0:
		return usagef("nobody publishes a mute: leave --%s out", publicFlagName)
	case isLocalPath(address):
		return usagef("%s is a path on this machine, and others cannot go on from there: leave --%s out", address, publicFlagName)
	}
	return nil
}

// command is how the same is asked for of a source that is followed; nothing when nothing was.
func (w followWish) command(name string) []render.Arg {
	words := []string{"distrust", "follow", name}
	bare := len(words)
	if w.name != "" && w.name != name {
		words = append(words, "--as", w.name)
	}
	if w.weight != nil {
		words = append(words, "--"+weightFlagName, render.WeightWord(*w.weight))
	}
	if w.depth != nil {
		words = append(words, "--"+depthFlagName, strconv.Itoa(*w.depth))
	}
	for _, s := range w.scopes {
		words = append(words, "--"+scopeFlagName, render.Project(s))
	}
	if w.public {
		words = append(words, "--"+publicFlagName)
	}
	if len(words) == bare {
		return nil
	}
	return render.Words(words...)
}
