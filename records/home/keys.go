package home

import (
	"context"
	"errors"
	"fmt"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// ErrKeyListed means that the head lists the key already.
var ErrKeyListed = errors.New("the log has this key already")

// ErrRecoveryNeeded means that only a recovery key may do this (F5.4).
var ErrRecoveryNeeded = errors.New("only a recovery key of this log can do that")

// AddKey makes a new head with one more active key (F5.4). The first recovery key may be added
// by any active key, later ones only by a recovery key; else [ErrRecoveryNeeded].
func (h *Home) AddKey(ctx context.Context, s records.Signer, key sshsig.Key, name string, recovery bool, opts Options) (*Written, error) {
	return h.Renew(ctx, s, "distrust: a new key", func(doc *schema.Head) error {
		for _, k := range doc.Keys {
			if k.Key == key.String() {
				return fmt.Errorf("%w: %s", ErrKeyListed, key.Fingerprint())
			}
		}
		doc.Keys = append(doc.Keys, schema.Key{Key: key.String(), Name: name, State: schema.Active, Recovery: recovery})
		return nil
	}, opts)
}
