// Package gitstore moves signed files in and out of git repositories without
// trusting the repository: a guarded fetch into a store of our own, a bounded
// reading of trees, and commits and pushes for the user's own repository.
//
// It speaks git's protocol version 0 over https, ssh and local paths (and, when
// asked for, http and git), git's pack, index and object formats, and the layout
// of a trust repository (docs/format, F4): head.yml, head.yml.sig, keys/ and
// records/. It knows nothing of what these files say.
//
// It is the only package that imports go-git, and uses of it only the object,
// pack, index and protocol formats. Three of its ways are never taken. Its
// remotes move references to commits that never arrived, so a fetch here ends
// with our own look at what came. Its registry of protocols is global and its
// file protocol executes git, so sessions are built here, one for each fetch,
// and a local path is read in process. Its work tree reads every file of the
// repository, so commits are written object by object.
//
// Where go-git does not reach, UserGit has the user's git fetch into a quarantine,
// which is then read as any other folder.
package gitstore
