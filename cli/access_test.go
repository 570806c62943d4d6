package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestCredentialsAreTheUsers asks for credentials while standing in a repository of somebody else, as an
// unpacked archive may be one: the user's helpers answer, and those of its configuration do not run.
func TestCredentialsAreTheUsers(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	home, hostile := t.TempDir(), t.TempDir()
	ran := filepath.Join(hostile, "ran")
	for _, folder := range []string{"objects", "refs"} {
		if err := os.MkdirAll(filepath.Join(hostile, ".git", folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range map[string]string{
		filepath.Join(home, ".gitconfig"):        "[credential \"https://example.org\"]\n\thelper = \"!echo username=me; echo password=secret; true\"\n",
		filepath.Join(hostile, ".git", "HEAD"):   "ref: refs/heads/main\n",
		filepath.Join(hostile, ".git", "config"): "[credential]\n\thelper = \"!touch '" + filepath.ToSlash(ran) + "'; true\"\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(hostile)
	env := testEnv()
	env.LookPath = exec.LookPath
	env.UserHome = func() (string, error) { return home, nil }
	env.Environ = func() []string {
		return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "USERPROFILE=" + home, "GIT_CONFIG_NOSYSTEM=1"}
	}
	m := &machine{env: env}
	user, secret, err := m.credentials(t.Context(), "https://example.org/alice/trust.git")
	if user != "me" || secret != "secret" || err != nil {
		t.Errorf("got %q %q, %v", user, secret, err)
	}
	if user, secret, err = m.credentials(t.Context(), "https://example.com/bob/trust.git"); user != "" || secret != "" || err != nil {
		t.Errorf("for another host: %q %q, %v", user, secret, err)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a helper of the repository ran")
	}
}
