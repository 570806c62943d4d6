// Package sshsig answers which SSH key signed some bytes, or why no key did.
//
// It speaks two formats of OpenSSH. The first is the armored SSHSIG signature (PROTOCOL.sshsig), as
// `ssh-keygen -Y sign` writes it and `ssh-keygen -Y verify` reads it:
//
//	-----BEGIN SSH SIGNATURE-----
//	base64 of: "SSHSIG" version publickey namespace reserved hash signature
//	-----END SSH SIGNATURE-----
//
// The reader is stricter than OpenSSH's and than github.com/hiddeco/sshsig's, which does the
// cryptography below it (F3): the armor starts at byte 0, is one block of at most 16 KiB without
// headers, has LF line ends and nothing but white space after it; the wire version is 1; the
// namespace is exactly the one asked for; nothing lies in the signature that is neither signed nor
// needed (reserved bytes, bytes after the inner signature). Keys are ed25519, ecdsa on the three
// NIST curves, rsa of at least 2048 bits with rsa-sha2-256 or rsa-sha2-512, and the two security
// key types with user presence. Certificates are refused. Whatever Verify accepts,
// `ssh-keygen -Y check-novalidate` accepts.
//
// The bytes of a signature are malleable in every implementation, so they never identify anything:
// take a digest of the signed bytes instead.
//
// The second format is the allowed signers file (ssh-keygen(1), ALLOWED SIGNERS), one line a key:
//
//	principals [options] keytype base64-key [comment]
package sshsig
