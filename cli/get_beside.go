package cli

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records/download"
	"github.com/distributed-trust/distrust/records/signature"
)

const (
	besideTimeout = time.Minute // for all that may lie beside a file
	besideAtOnce  = 4
)

var errBesideLate = errors.New("it takes longer than a minute")

// wanted is a file that may lie beside the download at its server.
type wanted struct {
	there, here string // what it is called
	list        bool   // it has to be a checksum list that names the file
}

// downloadBeside brings the signatures and checksum lists that lie beside the file into its folder, and
// gives their names. What is not there, or is something else, is no fault: most files have none.
func (g *getting) downloadBeside(ctx context.Context, client *download.Client, progress *terminal.Progress) ([]string, error) {
	limited, cancel := context.WithTimeoutCause(ctx, besideTimeout, errBesideLate)
	defer cancel()
	bar := progress.Bar("signatures", 0, terminal.Count)
	defer bar.Done()
	there := path.Base(g.url.Path)
	var first, second []wanted
	for i, name := range signature.Names(there) {
		first = append(first, wanted{there: name, here: signature.Names(g.name)[i]})
	}
	for _, name := range signature.ListNames() {
		if name != g.name && !slices.ContainsFunc(first, func(w wanted) bool { return w.here == name }) {
			first = append(first, wanted{there: name, here: name, list: true})
		}
	}
	bar.SetTotal(int64(len(first)))
	found, failure := g.downloadAll(limited, client, first, bar)
	for _, list := range found {
		if !slices.Contains(signature.ListNames(), list) {
			continue
		}
		for _, name := range signature.ListSignatureNames(list) {
			if name != g.name && !slices.Contains(found, name) {
				second = append(second, wanted{there: name, here: name})
			}
		}
	}
	more, also := g.downloadAll(limited, client, second, nil)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	progress.Close()
	if failure = errors.Join(failure, also); failure != nil {
		g.in.Env.warn("not everything beside it could be looked at: %s", oneLine(failure))
	}
	return append(found, more...), nil
}

// downloadAll downloads those that are there. The first fault is given besides; the others are like it.
func (g *getting) downloadAll(ctx context.Context, client *download.Client, all []wanted, bar *terminal.Bar) ([]string, error) {
	there := make([]bool, len(all))
	failures := make([]error, len(all))
	free := make(chan struct{}, besideAtOnce)
	var group sync.WaitGroup
	for i, w := range all {
		group.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			there[i], failures[i] = g.downloadOne(ctx, client, w)
			bar.Add(1)
		})
	}
	group.Wait()
	var found []string
	for i, w := range all {
		if there[i] {
			found = append(found, w.here)
		}
	}
	if i := slices.IndexFunc(failures, func(err error) bool { return err != nil }); i >= 0 {
		return found, failures[i]
	}
	return found, nil
}

// downloadOne downloads one, and says whether it is there and what it should be: many servers have a page
// for every address.
func (g *getting) downloadOne(ctx context.Context, client *download.Client, w wanted) (bool, error) {
	file := filepath.Join(g.folder, w.here)
	most := int64(signature.MaxSignature)
	if w.list {
		most = signature.MaxList
	}
	_, err := client.Get(ctx, g.url.ResolveReference(&url.URL{Path: w.there}), file, download.Options{MaxBytes: most})
	var status *download.StatusError
	if errors.As(err, &status) && status.Code >= 400 && status.Code < 500 && status.Code != http.StatusTooManyRequests {
		return false, nil // object stores answer 403 for what is not there
	}
	if err != nil {
		return false, err
	}
	b, err := os.ReadFile(file)
	if err == nil && w.list {
		if list, err := signature.ParseList(b); err == nil {
			if _, named := list.Find(g.name); named {
				return true, nil
			}
		}
	} else if err == nil && len(b) > 0 {
		if _, err := signature.Parse(b); err == nil {
			return true, nil
		}
	}
	return false, errors.Join(err, os.Remove(file))
}
