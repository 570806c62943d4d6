package sshsig_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/sshsig"
)

// TestVerifyOpenSSHFiles holds where there is no ssh-keygen: testdata/openssh was signed once by
// that of OpenSSH 9.2.
func TestVerifyOpenSSHFiles(t *testing.T) {
	t.Parallel()
	read := func(name string) []byte {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	sigs, err := filepath.Glob("testdata/openssh/*.sig")
	if err != nil || len(sigs) != 10 {
		t.Fatalf("%d signatures, %v", len(sigs), err)
	}
	message := read("testdata/openssh/message")
	for _, name := range sigs {
		want, err := sshsig.ParseKey(strings.TrimSpace(string(read(strings.TrimSuffix(name, ".sig") + ".pub"))))
		if err != nil {
			t.Fatal(err)
		}
		armored := read(name)
		checkVerdicts(t, message, armored, want)
		if info, err := sshsig.Inspect(armored); err != nil || !strings.HasSuffix(name, "-"+info.Hash+".sig") {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
}

// A signature says who made it; whether that key may speak is another question.
func ExampleVerify() {
	message, err := os.ReadFile("testdata/openssh/message")
	if err != nil {
		fmt.Println(err)
		return
	}
	armored, err := os.ReadFile("testdata/openssh/ed25519-sha512.sig")
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := sshsig.Verify(message, armored, sshsig.NamespaceRecord)
	fmt.Println(key.Type(), err)
	_, err = sshsig.Verify(message, armored, sshsig.NamespaceHead)
	fmt.Println(errors.Is(err, sshsig.ErrNamespace))
	// Output:
	// ssh-ed25519 <nil>
	// true
}
