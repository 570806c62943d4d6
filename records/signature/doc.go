// Package signature answers who signed a file, by the detached signatures and the signed checksum
// lists that projects publish beside their files.
//
// What a file beside another one is, is told by its content and never by its name:
//
//   - SSHSIG (PROTOCOL.sshsig), as `ssh-keygen -Y sign -n file` makes it. A signature for another
//     namespace has the wrong purpose. The rules are those of package sshsig.
//   - OpenPGP (RFC 9580) detached, armored or binary, of type 0x00 (binary document). Text mode (0x01)
//     has two digests for one text and is read over checksum lists only.
//   - minisign: hashed ("ED", BLAKE2b-512) and legacy ("Ed"), with the trusted comment, whose own
//     signature must hold and whose file: must be the name of the file.
//   - signify: the same shape without a trusted comment.
//   - Checksum lists of SHA-256 and SHA-512 digests in the style of GNU coreutils ("HEX  name" and
//     "HEX *name") and of BSD ("SHA256 (name) = HEX"): plain, inside an OpenPGP cleartext signature
//     (RFC 9580, 7), or behind a signature as `signify -S -e` writes it. A signature over a list
//     speaks for the files that it names.
//
// OpenPGP is judged more strictly than by `gpg --verify`, which is content with revoked and expired
// keys, SHA-1, short RSA keys and dates in the future (S2): each has a state of its own here that is not
// [Good]. The signer is always the certificate's primary key; a subkey that signs needs the
// certificate's binding and its own back-signature. SHA-1 counts in one place, where a certificate binds
// what is its own: many that are in use have nothing newer there.
//
// A file is read once. [Signature.Check] gives a writer that the one pass over the file feeds, so
// that memory does not grow with the file; legacy minisign and signify signatures are over the
// bytes themselves, which have to be held whole, and are not checked beyond [MaxHeld].
//
// Bytes that are a git commit or tag are never a signed file: whoever signed them spoke about a
// repository, not about a script (S2).
//
// The bytes of a signature are malleable and identify nothing; what a signature says of itself,
// such as a key id, is no identity either. A signer is named as F2 names it: ssh:…, openpgp:…,
// minisign:… or signify:….
package signature
