package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/source"
)

// FuzzArguments: flags stand anywhere, and mean what they mean in front; operands stay whole and in
// order. The arguments are lines.
func FuzzArguments(f *testing.F) {
	for _, s := range []string{
		"check f --json", "check f --for p g -q", "check -- --json", "--no-input alarms --json ack 7", "journal -- list", "run --for p f -x -- y", "run -- -f",
		"pipe --for p -- sh -- y", "git log --help -- x", "--no-input git -- --x", "check --reason= f", "check --scope a,b --scope c f", "check - f", "check --for=-p f", "--for check check f",
	} {
		f.Add(strings.ReplaceAll(s, " ", "\n"))
	}
	f.Fuzz(func(t *testing.T, lines string) {
		args := strings.Split(lines, "\n")
		path, p, err := parse(args...)
		if err != nil {
			if problem := new(*Problem); !errors.As(err, problem) || (*problem).Exit != Usage {
				t.Fatalf("%q: %v", args, err)
			}
			return
		}
		if p.help {
			return
		}
		rest := args
		for _, operand := range p.operands {
			at := slices.Index(rest, operand)
			if at < 0 {
				t.Fatalf("%q: the operands %q are not there in this order", args, p.operands)
			}
			rest = rest[at+1:]
		}
		again := slices.Concat(p.flags, strings.Fields(path))
		if path != "git" { // which reads no --
			again = append(again, "--")
		}
		again = append(again, p.operands...)
		path2, p2, err := parse(again...)
		if err != nil || path2 != path || !slices.Equal(p2.flags, p.flags) || !slices.Equal(p2.operands, p.operands) {
			t.Fatalf("%q is %q %+v, and in order, %q, it is %q %+v, %v", args, path, p, again, path2, p2, err)
		}
	})
}

// FuzzFollowLine: whatever is pasted behind follow, and however the source calls itself, is refused
// or makes an entry with a safe name, a fingerprint of 32 bytes, and an address that can be shared.
func FuzzFollowLine(f *testing.F) {
	const fingerprint = "SHA256:Wv3cbVqQLzFqPlF1b7yXn2gxZ5xPqk1lL9m0cO3yQpE"
	for _, url := range []string{
		"https://example.org/alice/trust.git", "ssh://git@example.org/t", "git@example.org:t.git", "http://example.org/t", "/srv/t.git", "./t", "t", "C:\\t",
		"ext::sh -c id", "--upload-pack=x", "https://a:b@example.org/t", "https://example.org/\x1b[2J", "https://-oProxyCommand=x/t", "file:///srv/t", "https://example.org/a'b$(id)",
	} {
		f.Add(url, fingerprint, "Alice")
	}
	f.Add("https://example.org/trust", "SHA256:Wv3cbVqQLzFqPlF1b7yXn2gxZ5xPqk1lL9m0cO3yQp", "you")
	f.Add("https://example.org/you", fingerprint, "own")
	f.Add("https://example.org/..", "MD5:00", "../../x")
	f.Add("https://example.org/%2e%2e", fingerprint+"\n", "\u202eecila")
	f.Fuzz(func(t *testing.T, url, fingerprint, calls string) {
		follow := followCommand(nil)
		follow.Run = func(_ context.Context, in *Invocation) (Exit, error) {
			checkFollowLine(t, in, calls)
			return Done, nil
		}
		if _, err := dispatchIn(&Command{Sub: []*Command{follow}}, []string{"follow", url, fingerprint}); err != nil && !errors.As(err, new(*Problem)) {
			t.Fatal(err)
		}
	})
}

func checkFollowLine(t *testing.T, in *Invocation, calls string) {
	wish, err := in.followWish()
	if err != nil || wish.fingerprint == "" {
		return
	}
	digest, ok := strings.CutPrefix(wish.fingerprint, "SHA256:")
	if b, err := base64.RawStdEncoding.DecodeString(digest); err != nil || !ok || len(b) != 32 {
		t.Fatalf("%q is taken for a fingerprint", wish.fingerprint)
	}
	address, err := remoteURL(in.Operands[0])
	if err != nil || source.CheckURL(address, false) != nil {
		return
	}
	m := &machine{}
	for range 2 {
		name := m.freeName("", calls, address)
		if err := config.ValidName(name); err != nil || slices.ContainsFunc(m.sources, func(s config.Source) bool { return s.Name == name }) {
			t.Fatalf("%q at %q is called %q: %v", calls, address, name, err)
		}
		m.sources = append(m.sources, config.Source{Name: name})
	}
	line, ok := render.Command(render.Words("distrust", "follow", address, wish.fingerprint)...)
	if ok && (render.Escape(line) != line || !strings.HasSuffix(line, " "+wish.fingerprint)) || !ok && !isLocalPath(address) {
		t.Fatalf("%q is shared as %q, %v", address, line, ok)
	}
}
