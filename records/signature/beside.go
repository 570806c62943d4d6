package signature

// Names are the names under which a file's signature may lie in the file's own folder, in the order in
// which to look (C3). All that exist are checked.
func Names(file string) []string {
	return suffixed(file, ".asc", ".sig", ".minisig", ".sign")
}

// ListNames are the names under which projects publish checksum lists beside their files. Those
// that end in .asc or .sign may be the list itself in a cleartext signature, or the
// signature of the one without the ending: try ParseList first.
func ListNames() []string {
	lists := []string{"SHA256SUMS", "SHA512SUMS", "SHA256SUMS.txt", "SHA512SUMS.txt", "sha256sums.txt", "sha512sums.txt", "checksums.txt"}
	var names []string
	for _, list := range lists {
		names = append(append(names, list), suffixed(list, ".asc", ".sign")...)
	}
	return append(names, "SHA256.sig") // OpenBSD's, a list with its signature in it
}

// ListSignatureNames are the names under which a detached signature of a plain list may lie.
func ListSignatureNames(list string) []string {
	return suffixed(list, ".asc", ".sig", ".gpg", ".sign", ".minisig")
}

// suffixed adds each ending to name.
func suffixed(name string, endings ...string) []string {
	names := make([]string, len(endings))
	for i, ending := range endings {
		names[i] = name + ending
	}
	return names
}
