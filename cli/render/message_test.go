package render

import (
	"strings"
	"testing"
)

// TestAddress: a contact is somebody else's word. Nothing but an address gets out of it and into a message.
func TestAddress(t *testing.T) {
	t.Parallel()
	for contact, want := range map[string]string{
		"mailto:alice@example.org":                          "alice@example.org",
		"mailto:a%2Bb@example.org,bob@example.org":          "a+b@example.org,bob@example.org",
		"mailto:alice@example.org?bcc=m@example.org&body=x": "alice@example.org",
		"mailto:?to=m@example.org":                          "",
		"mailto:alice@example.org%0D%0ABcc:m@example.org":   "",
		"mailto:alice@example.org%E2%80%AEx":                "",
		"mailto:%22Alice%20%22@example.org":                 "",
		"mailto:alice@example.org%20<m@example.org>":        "",
		"mailto:alice%zz@example.org":                       "",
		"mailto:alice":                                      "",
		"mailto:$(id)@example.org":                          "",
		"mailto:';id;'@example.org":                         "",
		"mailto:a&bcc=m@example.org":                        "",
		"mailto:a%3Fbcc=m@example.org":                      "",
		"mailto:jürgen@example.org":                         "jürgen@example.org",
		"https://example.org/alice@example.org":             "",
		"":                                                  "",
	} {
		if got := (Message{Contact: contact}).Address(); got != want {
			t.Errorf("%s: %q, want %q", contact, got, want)
		}
	}
	if got := (Message{Contact: "https://example.org/contact"}).Link(); got != "https://example.org/contact" {
		t.Errorf("a page: %q", got)
	}
	for _, contact := range []string{
		"https://example.org/$(id)", "https://example.org/';id;'", "https://example.org/?a&id", "https://example.org/`id`", "https:///",
		`https://example.org\@example.net/`, "https://example.net@example.org/", "https://example.org/" + strings.Repeat("a", maxLink), "javascript:alert(1)",
	} {
		if got := (Message{Contact: contact}).Link(); got != "" {
			t.Errorf("%.60s: %.60q", contact, got)
		}
	}
	if got := percent("a b&c=d?ä\r\n", ""); got != "a%20b%26c%3Dd%3F%C3%A4%0D%0A" {
		t.Errorf("encoded: %q", got)
	}
}
