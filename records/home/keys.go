package home

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// The errors of changes that the keys do not allow.
var (
	ErrKeyListed      = errors.New("the log has this key already")
	ErrKeyUnknown     = errors.New("the log has no such key")
	ErrKeyState       = errors.New("the key is in a state that it does not go back from")
	ErrLastKey        = errors.New("it is the last active key of this log")
	ErrRecoveryNeeded = errors.New("only a recovery key of this log can do that")
)

// Keys are the keys of the log in their states. Those that raised epochs left out are compromised.
func (h *Home) Keys() []schema.Key { return slices.Clone(h.sealed.log.Keys) }

// AddKey makes a new head with one more active key (F5.4). The first recovery key may be added
// by any active key, later ones only by a recovery key; else [ErrRecoveryNeeded]. So may a key that
// an epoch left out.
func (h *Home) AddKey(ctx context.Context, s records.Signer, key sshsig.Key, name string, recovery bool, opts Options) (*Written, error) {
	return h.Renew(ctx, s, "distrust: a new key", func(doc *schema.Head) error {
		if _, k := findKey(doc.Keys, key.String()); k != nil {
			return fmt.Errorf("%w: %s", ErrKeyListed, key.Fingerprint())
		}
		doc.Keys = append(doc.Keys, schema.Key{Key: key.String(), Name: name, State: schema.Active, Recovery: recovery})
		return nil
	}, opts)
}

// RetireKey makes a new head in which an active key is retired: what it signed counts on, and it
// signs no more (F5.8). A recovery key is retired by a recovery key only; else [ErrRecoveryNeeded].
// The log keeps an active key; else [ErrLastKey].
func (h *Home) RetireKey(ctx context.Context, s records.Signer, key sshsig.Key, opts Options) (*Written, error) {
	return h.Renew(ctx, s, "distrust: retire a key", func(doc *schema.Head) error {
		_, k := findKey(doc.Keys, key.String())
		switch {
		case k == nil:
			return fmt.Errorf("%w: %s", ErrKeyUnknown, key.Fingerprint())
		case k.State != schema.Active:
			return fmt.Errorf("%w: %s is %s", ErrKeyState, key.Fingerprint(), k.State)
		case ActiveKeys(*doc) == 1:
			return fmt.Errorf("%w: %s", ErrLastKey, key.Fingerprint())
		}
		k.State = schema.Retired
		return nil
	}, opts)
}

// ActiveKeys counts the keys that may sign.
func ActiveKeys(doc schema.Head) int {
	n := 0
	for _, k := range doc.Keys {
		if k.State == schema.Active {
			n++
		}
	}
	return n
}
