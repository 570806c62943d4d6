package sshsig

import (
	"errors"
	"fmt"
)

// These are the ways in which a well-formed signature or key is refused (F3). Errors of this
// package wrap them with what was found.
var (
	// ErrNamespace means that the signature was made for another purpose; see NamespaceError.
	ErrNamespace = errors.New("signature was made for another purpose")
	// ErrBadSignature means that the key in the signature did not sign this message.
	ErrBadSignature = errors.New("signature does not match the message")
	// ErrKeyType means that keys of this type are not accepted.
	ErrKeyType = errors.New("key type is not accepted")
	// ErrCertificate is the ErrKeyType of a certificate.
	ErrCertificate = fmt.Errorf("%w: certificates cannot sign here", ErrKeyType)
	// ErrWeakKey means an RSA key of fewer than MinRSABits bits.
	ErrWeakKey = errors.New("key is too short")
	// ErrAlgorithm means a hash or a signature algorithm that is not accepted, such as SHA-1.
	ErrAlgorithm = errors.New("algorithm is not accepted")
	// ErrUserPresence means a security key that signed without a touch.
	ErrUserPresence = errors.New("security key signed without a touch")
	// ErrNotAllowed means that no line of an allowed signers file lets the key sign; see
	// NotAllowedError.
	ErrNotAllowed = errors.New("key is not an allowed signer")
)

// FormatError says that bytes are not an armored signature or a public key as F3 wants them.
type FormatError struct {
	Reason string // lower case, no full stop
}

// Error implements error.
func (e *FormatError) Error() string { return e.Reason }

// formatError makes a FormatError from a format string.
func formatError(format string, args ...any) error {
	return &FormatError{Reason: fmt.Sprintf(format, args...)}
}

// NamespaceError says for which purpose a signature was made instead of the expected one. Got is
// foreign text.
type NamespaceError struct {
	Want, Got Namespace
}

// Error implements error.
func (e *NamespaceError) Error() string {
	return fmt.Sprintf("%v: %q, not %q", ErrNamespace, string(e.Got), string(e.Want))
}

// Is makes errors.Is(err, ErrNamespace) hold.
func (e *NamespaceError) Is(target error) bool { return target == ErrNamespace }
