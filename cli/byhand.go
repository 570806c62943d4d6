package cli

import (
	"context"
	"fmt"

	"github.com/distributed-trust/distrust/records/home"
)

// quickLook is how many records are read again after every command to see whether one was edited by
// hand. In a larger home that costs more than the command itself; there list and seal say so.
const quickLook = 1000

// sayByHand says that the home holds something which no head covers: it does not count before
// it is sealed, and whoever edited it should know. Without look only commits are counted.
func (m *machine) sayByHand(ctx context.Context, h *home.Home, look bool) error {
	if m.in.Bool(quietFlagName) {
		return nil
	}
	files := 0
	if look {
		found, err := h.Pending(ctx, nil)
		if err != nil {
			return err
		}
		files = len(found.Added) + len(found.Refused) + len(found.Removed) + len(found.Others)
	}
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
	h, err := m.ownHome(ctx)
	if err != nil || h == nil {
		return err
	}
	defer h.Close()
	return m.sayByHand(ctx, h, true)
}
