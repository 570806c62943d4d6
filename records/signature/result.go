package signature

import "time"

// Format is the kind of a signature.
type Format string

// The formats, in the words of trust.Signature and of F2's signer identities.
const (
	SSH      Format = "ssh"
	OpenPGP  Format = "openpgp"
	Minisign Format = "minisign"
	Signify  Format = "signify"
)

// State is what came of checking a signature. The words are those of trust.SignatureState.
type State string

// The states. Only Good says that the signer signed these bytes as a file, with a key and in a way
// that counts today.
const (
	Good         State = "good"
	Bad          State = "bad"           // made over other bytes, or broken
	NoKey        State = "no-key"        // the key that it names is not at hand
	Revoked      State = "revoked"       // the key was revoked, whenever
	Expired      State = "expired"       // the key or the signature is over, or is dated in the future
	Weak         State = "weak"          // a digest, key or form that is not relied on
	WrongPurpose State = "wrong-purpose" // made for something else than a file of this name
)

// Result is what one signature says about one file.
type Result struct {
	Format Format
	State  State
	Signer string // F2 identity; "" when unknown. Only with Good does it stand behind the bytes
	Detail string // why, as a sentence in lower case without full stop; may quote foreign text; "" when good

	CallsItself string    // what an OpenPGP key says its owner is called; foreign, and nobody checked it
	Comment     string    // minisign's trusted comment; foreign, signed; "" unless its signature holds
	Made        time.Time // when the signature says it was made; zero when it does not say
}
