package signature

import (
	"errors"
	"io"

	"github.com/distributed-trust/distrust/sshsig"
)

// sshSignature is a signature file of OpenSSH. It holds the key that made it.
type sshSignature struct {
	armored []byte
	info    sshsig.Info
	refused error // what package sshsig has against it, the namespace aside
}

// readSSH reads it; the error says what is broken.
func readSSH(file []byte) (*sshSignature, error) {
	info, err := sshsig.Inspect(file)
	var malformed *sshsig.FormatError
	if errors.As(err, &malformed) {
		return nil, malformed
	}
	return &sshSignature{armored: file, info: info, refused: err}, nil
}

func (s *sshSignature) names() []string {
	if s.info.Key.IsZero() {
		return nil
	}
	return []string{s.info.Key.Fingerprint()}
}

func (s *sshSignature) claims(*Keys) []string {
	if s.info.Key.IsZero() {
		return nil
	}
	return []string{string(SSH) + ":" + s.info.Key.String()}
}

// begin starts the reader that package sshsig wants in a goroutine of its own, behind a pipe.
func (s *sshSignature) begin(_ *Keys, _ target) verifier {
	if s.refused != nil {
		return settled(Result{Format: SSH, State: Weak, Detail: s.refused.Error()})
	}
	if s.info.Namespace != sshsig.NamespaceFile {
		err := &sshsig.NamespaceError{Want: sshsig.NamespaceFile, Got: s.info.Namespace}
		return settled(Result{Format: SSH, State: WrongPurpose, Detail: err.Error()})
	}
	r, w := io.Pipe()
	v := &sshVerifier{w: w, done: make(chan Result, 1)}
	go func() {
		key, err := sshsig.VerifyReader(r, s.armored, sshsig.NamespaceFile)
		_, _ = io.Copy(io.Discard, r) // whoever writes must not wait for a reader that is gone
		if err != nil {
			v.done <- Result{Format: SSH, State: Bad, Detail: "the key " + s.info.Key.Fingerprint() + " did not sign these bytes"}
			return
		}
		v.done <- Result{Format: SSH, State: Good, Signer: string(SSH) + ":" + key.String()}
	}()
	return v
}

// sshVerifier feeds package sshsig.
type sshVerifier struct {
	w    *io.PipeWriter
	done chan Result
}

// Write implements io.Writer.
func (v *sshVerifier) Write(p []byte) (int, error) { return v.w.Write(p) }

func (v *sshVerifier) results() []Result {
	v.w.Close()
	return []Result{<-v.done}
}

// settled is the verifier of a signature that no bytes can make good.
type settled Result

// Write implements io.Writer.
func (s settled) Write(p []byte) (int, error) { return len(p), nil }

func (s settled) results() []Result { return []Result{Result(s)} }
