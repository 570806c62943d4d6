package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/distributed-trust/distrust/records/home"
)

// sayByHand says that the home holds something which no head covers: it does not count before
// it is sealed, and whoever edited it should know.
func (m *machine) sayByHand(ctx context.Context, h *home.Home) error {
	found, err := h.Pending(ctx, nil)
	if err != nil {
		return err
	}
	files := len(found.Added) + len(found.Refused) + len(found.Removed) + len(found.Others)
	switch {
	case files > 0:
		m.env.say(fmt.Sprintf("%s in your home changed by hand, which does not count yet: distrust seal", count(files, "file")))
	case h.Unsealed() > 0:
		m.env.say(fmt.Sprintf("%s in your home that no head covers: distrust seal", count(h.Unsealed(), "commit")))
	}
	return nil
}

// sayByHand looks at the user's own home, if there is one.
func (in *Invocation) sayByHand(ctx context.Context) error {
	m, err := in.machine()
	if err != nil {
		return err
	}
	h, err := home.Open(ctx, m.defaultHome())
	if errors.Is(err, home.ErrNoHome) {
		return nil
	}
	if err != nil {
		return err
	}
	defer h.Close()
	return m.sayByHand(ctx, h)
}
