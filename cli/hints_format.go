package cli

import (
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// formatHints are the rows of documents, keys and signatures that break the format. They come
// behind those of the packages that read them, which know better what it means.
func formatHints() []hintRow {
	return []hintRow{
		is(sshsig.ErrBadSignature, Mismatch, "the file or its signature was changed: get both again"),
		is(sshsig.ErrNamespace, Mismatch, "ask for a signature over the file itself, as ssh-keygen -Y sign -n file makes it"),
		is(sshsig.ErrWeakKey, NotSetUp, "use a stronger key", "ssh-keygen", "-t", "ed25519"),
		is(sshsig.ErrKeyType, NotSetUp, "use a key of another type", "ssh-keygen", "-t", "ed25519"),
		is(sshsig.ErrAlgorithm, Failed, "sign again with an OpenSSH of today, which uses SHA-2"),
		is(sshsig.ErrUserPresence, Failed, "sign again, and touch the key when it blinks"),
		is(sshsig.ErrNotAllowed, Failed, "see which keys may sign", "distrust", "key", "list"),
		as(Usage, func(*sshsig.FormatError) render.Hint {
			return hintf("a public key is one line: ssh-ed25519 AAAA..., as in ~/.ssh/id_ed25519.pub")
		}),
		as(Failed, func(*records.Refusal) render.Hint {
			return hintf("a record of yours: mend it or remove it, then distrust seal; another's is skipped alone")
		}),
		as(Failed, func(*schema.Error) render.Hint {
			return hintf("mend that line; docs/format.md holds the rules by the name at the end")
		}),
		is(journal.ErrAlarms, Failed, "move that file away; every alarm is found again by", "distrust", "sync"),
	}
}
