package sshsig_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/sshsig"
)

// stock is the real ssh-keygen in a folder of its own.
type stock struct {
	t       *testing.T
	program string
	dir     string
}

// newStock finds ssh-keygen; a CI without it is broken, a machine without it is only poor.
func newStock(t *testing.T) stock {
	t.Helper()
	program, err := exec.LookPath("ssh-keygen")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ssh-keygen is missing")
		}
		t.Skip("ssh-keygen is missing")
	}
	return stock{t: t, program: program, dir: t.TempDir()}
}

// run returns standard output and whether it exited with 0; env is added to an empty environment.
func (s stock) run(stdin []byte, env []string, args ...string) (string, bool) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.program, args...)
	cmd.Dir = s.dir
	cmd.Env = append([]string{"HOME=" + s.dir, "PATH=" + os.Getenv("PATH")}, env...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Logf("ssh-keygen %q: %v: %s", args, err, stderr.Bytes())
	}
	return string(out), err == nil
}

func (s stock) write(name string, b []byte) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// generate makes a key file and returns its path and what it is.
func (s stock) generate(kind, bits string) (string, sshsig.Key, ssh.Signer) {
	s.t.Helper()
	path := filepath.Join(s.dir, "id_"+kind+bits)
	if kind == "rsa" {
		s.copyRSA(path, bits)
	} else {
		s.make(path, kind, bits)
	}
	line, err := os.ReadFile(path + ".pub")
	if err != nil {
		s.t.Fatal(err)
	}
	key, comment, err := sshsig.ParseAuthorizedKey(string(line))
	if err != nil || comment != "someone@example.org" {
		s.t.Fatalf("%q: comment %q, %v", line, comment, err)
	}
	private, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		s.t.Fatal(err)
	}
	return path, key, signer
}

func (s stock) make(path, kind, bits string) {
	s.t.Helper()
	args := []string{"-q", "-t", kind, "-N", "", "-C", "someone@example.org", "-f", path}
	if bits != "" {
		args = append(args, "-b", bits)
	}
	if _, ok := s.run(nil, nil, args...); !ok {
		s.t.Fatalf("no %s key of %s bits", kind, bits)
	}
}

// sharedRSA is one RSA key for all tests, because making one takes seconds.
var sharedRSA struct {
	sync.Mutex
	private, public []byte
}

func (s stock) copyRSA(path, bits string) {
	s.t.Helper()
	sharedRSA.Lock()
	defer sharedRSA.Unlock()
	if sharedRSA.private == nil {
		s.make(path, "rsa", bits)
		var err, pubErr error
		sharedRSA.private, err = os.ReadFile(path)
		sharedRSA.public, pubErr = os.ReadFile(path + ".pub")
		if err != nil || pubErr != nil {
			s.t.Fatal(err, pubErr)
		}
	}
	s.write(filepath.Base(path), sharedRSA.private)
	s.write(filepath.Base(path)+".pub", sharedRSA.public)
}

// accepts reports whether `ssh-keygen -Y check-novalidate` takes a signature.
func (s stock) accepts(message, armored []byte, ns sshsig.Namespace) bool {
	s.t.Helper()
	sig := s.write("novalidate.sig", armored)
	_, ok := s.run(message, nil, "-Y", "check-novalidate", "-n", string(ns), "-s", sig)
	return ok
}

// verifies reports whether `ssh-keygen -Y verify` takes a signature by the line of F4.
func (s stock) verifies(message, armored []byte, ns sshsig.Namespace, key sshsig.Key) bool {
	s.t.Helper()
	const logID = "5f0c4c7e9d1b4a86b6a1c2d3e4f50617"
	allowed := s.write("allowed_signers", []byte(sshsig.AllowedSignersLine(logID, key)+"\n"))
	sig := s.write("verify.sig", armored)
	_, ok := s.run(message, nil, "-Y", "verify", "-f", allowed, "-I", logID, "-n", string(ns), "-s", sig)
	return ok
}

// keyKinds is what people have.
var keyKinds = []struct{ kind, bits string }{
	{"ed25519", ""}, {"ecdsa", "256"}, {"ecdsa", "384"}, {"ecdsa", "521"}, {"rsa", "3072"},
}

func TestVerifyTakesWhatSSHKeygenSigns(t *testing.T) {
	t.Parallel()
	for _, kind := range keyKinds {
		for _, hash := range []string{"sha256", "sha512"} {
			t.Run(kind.kind+kind.bits+"/"+hash, func(t *testing.T) {
				t.Parallel()
				s := newStock(t)
				path, key, _ := s.generate(kind.kind, kind.bits)
				message := []byte("distrust: 1\nkind: \"trust\"\n")
				file := s.write("m", message)
				if _, ok := s.run(nil, nil, "-Y", "sign", "-n", string(sshsig.NamespaceRecord), "-O", "hashalg="+hash, "-f", path, file); !ok {
					t.Fatal("ssh-keygen did not sign")
				}
				armored, err := os.ReadFile(file + ".sig")
				if err != nil {
					t.Fatal(err)
				}
				info, err := sshsig.Inspect(armored)
				if err != nil || info != (sshsig.Info{Key: key, Namespace: sshsig.NamespaceRecord, Hash: hash}) {
					t.Errorf("Inspect = %+v, %v", info, err)
				}
				checkVerdicts(t, message, armored, key)
			})
		}
	}
}

func TestSSHKeygenTakesWhatSignMakes(t *testing.T) {
	t.Parallel()
	for _, kind := range keyKinds {
		t.Run(kind.kind+kind.bits, func(t *testing.T) {
			t.Parallel()
			s := newStock(t)
			path, key, signer := s.generate(kind.kind, kind.bits)
			message := []byte("a record\n")
			armored, err := sshsig.Sign(message, signer, sshsig.NamespaceRecord)
			if err != nil {
				t.Fatal(err)
			}
			checkVerdicts(t, message, armored, key)
			if !s.verifies(message, armored, sshsig.NamespaceRecord, key) {
				t.Error("ssh-keygen refuses what Sign made")
			}
			if s.verifies([]byte("other\n"), armored, sshsig.NamespaceRecord, key) {
				t.Error("ssh-keygen takes it for another message")
			}
			if s.verifies(message, armored, sshsig.NamespaceHead, key) {
				t.Error("ssh-keygen takes it for another namespace")
			}
			if kind.kind == "ecdsa" {
				return // not deterministic
			}
			file := s.write("m", message)
			s.run(nil, nil, "-Y", "sign", "-n", string(sshsig.NamespaceRecord), "-f", path, file)
			theirs, err := os.ReadFile(file + ".sig")
			if err != nil || !bytes.Equal(armored, theirs) {
				t.Errorf("not the bytes of ssh-keygen: %v\n%s%s", err, armored, theirs)
			}
		})
	}
}

// checkVerdicts checks a good signature for NamespaceRecord and what is next to it.
func checkVerdicts(t *testing.T, message, armored []byte, key sshsig.Key) {
	t.Helper()
	if got, err := sshsig.Verify(message, armored, sshsig.NamespaceRecord); err != nil || got != key {
		t.Errorf("Verify = %v, %v, want %v", got, err, key)
	}
	if got, err := sshsig.Verify([]byte("other\n"), armored, sshsig.NamespaceRecord); !isOnly(err, sshsig.ErrBadSignature) || !got.IsZero() {
		t.Errorf("other message: %v, %v", got, err)
	}
	if got, err := sshsig.Verify(message, armored, sshsig.NamespaceHead); !isOnly(err, sshsig.ErrNamespace) || !got.IsZero() {
		t.Errorf("other namespace: %v, %v", got, err)
	}
}

func TestFingerprintIsThatOfSSHKeygen(t *testing.T) {
	t.Parallel()
	for _, kind := range keyKinds {
		t.Run(kind.kind+kind.bits, func(t *testing.T) {
			t.Parallel()
			s := newStock(t)
			path, key, _ := s.generate(kind.kind, kind.bits)
			out, ok := s.run(nil, nil, "-l", "-f", path+".pub")
			fields := strings.Fields(out)
			if !ok || len(fields) < 2 || fields[1] != key.Fingerprint() {
				t.Errorf("Fingerprint = %s, ssh-keygen says %q", key.Fingerprint(), out)
			}
		})
	}
}
