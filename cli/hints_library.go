package cli

import (
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/download"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/records/signature"
	"github.com/distributed-trust/distrust/records/source"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/records/subject/lockfile"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

// hintf is a next step as one text.
func hintf(format string, args ...any) render.Hint {
	return render.Hint{Text: fmt.Sprintf(format, args...)}
}

// homeHints are the rows of the user's own repository and keys.
func homeHints() []hintRow {
	return []hintRow{
		is(home.ErrNoHome, NotSetUp, "make one, or join the one you have elsewhere", "distrust", "init"),
		is(home.ErrUnpublished, Refused, "check the address: to publish there, the repository has to be empty"),
		is(home.ErrNotHome, NotSetUp, "it is a git repository without a log: move it away, then", "distrust", "init"),
		is(home.ErrUnsealed, Failed, "records came by hand or by merge: look at them and sign a head over them", "distrust", "seal"),
		as(Failed, func(*home.RefusedError) render.Hint {
			return render.Hint{Text: "mend or remove the named files, then", Command: render.Words("distrust", "seal")}
		}),
		as(NotSetUp, func(e *home.SignerError) render.Hint {
			if e.State != "" {
				return hintf("sign with another key: add --key")
			}
			return render.Hint{Text: "on a machine that can sign, run", Command: render.Words("distrust", "key", "add", e.Key.String())}
		}),
		is(home.ErrNotYourKey, NotSetUp, "let a machine that can sign add the key", "distrust", "key", "add", "KEY"),
		is(home.ErrNotEmpty, Failed, "the folder holds other files: name another one with DISTRUST_DATA_DIR, or empty it"),
		is(home.ErrKeyListed, Failed, "see the keys", "distrust", "key", "list"),
		is(home.ErrKeyUnknown, Failed, "see the keys", "distrust", "key", "list"),
		is(home.ErrKeyState, Failed, "see the keys", "distrust", "key", "list"),
		is(home.ErrLastKey, Failed, "add another one first", "distrust", "key", "add", "KEY"),
		is(home.ErrOwnKey, Failed, "sign with the recovery key, or another key of the log: add --key"),
		is(home.ErrRecoveryNeeded, Failed, "sign with the recovery key: add --key"),
		as(Failed, func(*home.NoHeadError) render.Hint {
			return render.Hint{Text: "see the heads, those before a rewrite with distrust git reflog", Command: render.Words("distrust", "git", "log", "-p", "--", "head.yml")}
		}),
		is(home.ErrBusy, Failed, "finish or abort the merge or rebase first", "distrust", "git", "status"),
		is(home.ErrDetached, Failed, "check out the branch first", "distrust", "git", "checkout", home.Branch),
		is(home.ErrLocked, Failed, "another git is at work there: try again when it is done"),
		is(home.ErrMoved, Failed, "something else committed there meanwhile: run it again"),
		as(Failed, func(e *home.ConflictError) render.Hint {
			return render.Hint{Text: "your own files went apart: bring them together with git, then sync again", Command: render.Words("distrust", "git", "pull", "--rebase")}
		}),
		as(Failed, func(e *home.DirtyError) render.Hint {
			return render.Hint{Text: "commit the named files, or put them back as they were", Command: render.Words("distrust", "git", "status")}
		}),
		as(Failed, func(e *home.PublishedError) render.Hint {
			return hintf("if nothing that you made since was published from here, remove %s and sync again", render.Quote(e.File))
		}),
		is(home.ErrNoBranch, Failed, "rename your branch to the one that the remote has", "distrust", "git", "branch", "-m", "NAME"),
		is(home.ErrPushRefused, Failed, "another machine publishes at this moment: try again", "distrust", "sync"),
		is(home.ErrPushDenied, Failed, "ask the host for the right to push, or publish elsewhere", "distrust", "init", "URL"),
		is(errNoSuchRecord, Failed, "see what is known", "distrust", "list"),
		is(errHostRefused, Failed, "ask somebody who knows the host for its fingerprint"),
		as(NotSetUp, func(e *signer.UnusableError) render.Hint {
			if errors.Is(e.Err, signer.ErrKeyPermissions) {
				return render.Hint{Text: "make it yours alone", Command: append(render.Words("chmod", "600"), render.File(e.Named, ""))}
			}
			return hintf("name another key: --key FILE")
		}),
		is(signer.ErrKeyPermissions, NotSetUp, "make it yours alone: chmod 600 FILE"),
		is(signer.ErrPassphrase, NotSetUp, "load the key into an agent", "ssh-add"),
		is(signer.ErrNoKey, NotSetUp, "let distrust make one: add --make-key; or", "ssh-keygen", "-t", "ed25519"),
	}
}

// sourceHints are the rows of followed repositories.
func sourceHints() []hintRow {
	return []hintRow{
		as(Refused, headHint),
		as(Done, func(e *source.FollowedError) render.Hint {
			return render.Hint{Text: "see it", Command: render.Words("distrust", "sources", e.Name)}
		}),
		as(Refused, func(e *source.ClaimError) render.Hint {
			if e.Own {
				return hintf("you need not follow yourself: your own word counts already")
			}
			return render.Hint{Text: "its address can be changed", Command: render.Words("distrust", "follow", e.Name, "--url", "URL")}
		}),
		as(Failed, func(e *source.PinError) render.Hint {
			return hintf("the file was damaged: restore it from a backup, or drop what is known: distrust unfollow NAME --forget")
		}),
		is(source.ErrNotTrust, Refused, "check the address: it is a git repository without head.yml"),
		as(Refused, func(*records.UnpublishedError) render.Hint {
			return hintf("its owner has to run: distrust seal")
		}),
		as(Refused, func(e *source.LimitError) render.Hint {
			return hintf("if you trust its size, raise %s under limits of the source in sources.yml", e.Option)
		}),
		as(Refused, func(*source.HostileError) render.Hint {
			return hintf("ask the owner through another channel; nothing of it was read")
		}),
		as(Usage, func(*source.URLError) render.Hint {
			return hintf("give https://, ssh://, user@host:path or a folder; http:// needs --%s", insecureFlagName)
		}),
		as(Failed, func(*source.RaceError) render.Hint {
			return render.Hint{Text: "try again", Command: render.Words("distrust", "sync")}
		}),
		is(source.ErrFirstUse, Refused, "paste the whole line with the fingerprint, or accept the key unseen with --tofu"),
		is(source.ErrNewer, Refused, "install a newer distrust"),
		is(source.ErrEmpty, Unreachable, "nothing was published there yet: try again later"),
		is(source.ErrNotRepository, Unreachable, "check the address: it is no git repository"),
		is(source.ErrNoBranch, Unreachable, "its branch is gone: ask the owner"),
		is(source.ErrAuth, Unreachable, "check that you may read it: git ls-remote URL"),
		is(source.ErrUnknownHost, Unreachable, "run it on a terminal to be asked, or add the host to ~/.ssh/known_hosts"),
		is(source.ErrNoGit, Unreachable, "install git, or take transport: git of the source out of sources.yml"),
		as(Unreachable, func(e *source.GitError) render.Hint {
			return render.Hint{Text: "try it by hand, where git may ask", Command: render.Words("git", "ls-remote", e.URL)}
		}),
		is(source.ErrUnreachable, Unreachable, "check the address and the network, and try again; what was accepted before stays in force"),
		is(source.ErrNoPin, Failed, "fetch it first", "distrust", "sync"),
		as(Failed, func(e *index.DamageError) render.Hint {
			if e.Log != "" {
				return render.Hint{Text: "bring back what was lost", Command: render.Words("distrust", "sync")}
			}
			return hintf("it is a cache: run the command again to rebuild it")
		}),
		is(journal.ErrAlarms, Failed, "move the file away; alarms are raised again at the next sync"),
		as(Failed, func(*MissingError) render.Hint {
			return render.Hint{Text: "bring them back", Command: render.Words("distrust", "sync")}
		}),
		is(index.ErrNone, Failed, "nothing was said or followed here yet", "distrust", "tour"),
	}
}

// keyHints are the rows of keys and signatures.
func keyHints() []hintRow {
	const plain = "use an ed25519, ecdsa or rsa key (2048 bits and more), not a certificate"
	return []hintRow{
		is(sshsig.ErrKeyType, Failed, plain),
		is(sshsig.ErrWeakKey, Failed, plain),
		is(sshsig.ErrAlgorithm, Failed, plain),
		is(sshsig.ErrUserPresence, Failed, "sign again and touch the security key"),
		is(sshsig.ErrNamespace, Failed, "the signature was made for something else: sign again with distrust"),
		is(sshsig.ErrBadSignature, Failed, "the file was changed after it was signed: sign it again", "distrust", "seal"),
		is(sshsig.ErrNotAllowed, Failed, "see who may sign: the file allowed_signers"),
		as(Failed, func(*sshsig.FormatError) render.Hint {
			return hintf("give it as OpenSSH writes it: TYPE BASE64, or the .pub file")
		}),
	}
}

// documentHints are the rows of what people write and name.
func documentHints() []hintRow {
	return []hintRow{
		is(schema.ErrNotUnderstood, Failed, "install a newer distrust"),
		as(Failed, func(e *records.Refusal) render.Hint {
			return hintf("mend the file that is named; docs/format.md explains %s", e.Rule)
		}),
		as(Failed, func(e *schema.Error) render.Hint {
			return hintf("mend the line that is named; docs/format.md explains %s", e.Rule)
		}),
		is(download.ErrSilent, Failed, "try again later, or from another place"),
		is(download.ErrRedirects, Failed, "ask for the address where it leads"),
		is(download.ErrEncoded, Failed, "download it with another program, and decide about the file: distrust ask FILE"),
		as(Failed, func(*download.RedirectError) render.Hint {
			return hintf("ask its owner for an address that stays with https://")
		}),
		as(Usage, func(*download.URLError) render.Hint { return hintf("give an address that begins with https://") }),
		as(Failed, func(*download.StatusError) render.Hint { return hintf("check the address") }),
		as(Failed, func(*download.SizeError) render.Hint {
			return hintf("if that is the size it should have, allow it: add --%s", maxSizeFlagName)
		}),
		as(Failed, networkHint),
		is(subject.ErrDirectory, Failed, "name the files in it"),
		is(subject.ErrDigest, Usage, "write sha256: and 64 hexadecimal digits"),
		is(lockfile.ErrUnsupported, Failed, "watch what it brought instead: distrust journal add FOLDER"),
		as(Failed, func(*lockfile.Error) render.Hint {
			return hintf("have it written anew by the program that wrote it; if that takes it as it is, report it to us")
		}),
		is(errSigner, Usage, "see", "distrust", "trust", "--help"),
	}
}

// networkHint tells somebody else at the other end from nobody.
func networkHint(e *download.NetworkError) render.Hint {
	var unverified *tls.CertificateVerificationError
	if errors.As(e, &unverified) {
		return hintf("nobody vouches for that host: do not go on, unless you know why")
	}
	return hintf("check the address, the network, and https_proxy")
}

// headHint is the next step after a head that was refused: never an override, since the refusal
// is the point.
func headHint(e *records.HeadError) render.Hint {
	switch e.Kind {
	case records.WrongFingerprint:
		return hintf("do not go on: get the line to paste from the owner through another channel")
	case records.Future:
		return hintf("check the clock of this machine")
	case records.Rollback, records.Fork, records.Rewrite:
		return hintf("ask the owner through another channel what happened, and show both heads")
	case records.WrongLog, records.NoAuthority, records.NotKept, records.BadKeys, records.BadEpoch:
	}
	return hintf("ask the owner through another channel what happened")
}

// signatureHints are the rows of what others signed.
func signatureHints() []hintRow {
	return []hintRow{
		is(signature.ErrNoPublicKey, Failed, "give the certificate or public key itself, as gpg --export or minisign -G writes it"),
		is(signature.ErrNoCertificate, Failed, "it is revoked, expired or too weak: ask its owner for a newer one"),
		is(signature.ErrUnknownFormat, Failed, "OpenSSH, OpenPGP, minisign and signify signatures are known, and lists as sha256sum writes them"),
		as(Failed, func(*signature.ListError) render.Hint {
			return hintf("a list that says two things vouches for nothing: fetch it again")
		}),
		as(Failed, func(e *signature.TooLargeError) render.Hint {
			if e.Max == signature.MaxList {
				return hintf("give the list of one release")
			}
			return hintf("give a file with only the keys that signed")
		}),
	}
}
