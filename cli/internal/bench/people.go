package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// person signs what they say with a real key, which follows from their name.
type person struct {
	name    string
	private ed25519.PrivateKey
	ssh     ssh.Signer
	key     sshsig.Key
	salt    string
	log     string
	first   []schema.Record // what they say before all that follows from their name
}

func newPerson(name string) (*person, error) {
	seed := sha256.Sum256([]byte("distrust bench " + name))
	p := &person{name: name, private: ed25519.NewKeyFromSeed(seed[:]), salt: hex.EncodeToString(seed[:16])}
	var err error
	if p.ssh, err = ssh.NewSignerFromKey(p.private); err != nil {
		return nil, err
	}
	if p.key, err = sshsig.KeyFromSSH(p.ssh.PublicKey()); err != nil {
		return nil, err
	}
	p.log = records.LogID(p.key, p.salt)
	return p, nil
}

// newPeople are so many people with names of their own.
func newPeople(what string, n int) ([]*person, error) {
	people := make([]*person, n)
	for i := range people {
		var err error
		if people[i], err = newPerson(fmt.Sprintf("%s-%d", what, i)); err != nil {
			return nil, err
		}
	}
	return people, nil
}

// Key makes a person a [records.Signer].
func (p *person) Key() sshsig.Key { return p.key }

// Sign makes a person a [records.Signer].
func (p *person) Sign(_ context.Context, message []byte, ns sshsig.Namespace) ([]byte, error) {
	return sshsig.Sign(message, p.ssh, ns)
}

// keyFile writes the private key as ssh-keygen would.
func (p *person) keyFile(path string) error {
	block, err := ssh.MarshalPrivateKey(p.private, p.name)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(block), 0o600)
}

// begun is when everybody began to speak: a while ago, so that no head is from the future.
func begun() time.Time { return time.Now().Add(-48 * time.Hour).UTC().Truncate(time.Second) }

// content is what the file looks like about which a person speaks in their i-th record.
func (p *person) content(i int) string { return fmt.Sprintf("file %d of %s", i, p.name) }

// statement is the i-th record of a person: about a file of a release, as most records are.
func (p *person) statement(i int, at time.Time) schema.Record {
	issued := at.Add(time.Duration(i) * time.Second / 2).Truncate(time.Second)
	if i < len(p.first) {
		doc := p.first[i]
		doc.Log, doc.By, doc.Issued = p.log, p.key.String(), issued
		return doc
	}
	sum := sha256.Sum256([]byte(p.content(i)))
	version := fmt.Sprintf("1.%d", i/50)
	return schema.Record{
		Kind: schema.KindTrust, Log: p.log, By: p.key.String(), Issued: issued,
		Project: fmt.Sprintf("pkg:pypi/project-%d", i%50), Version: version, Basis: schema.Reviewed,
		Subjects: []schema.Subject{{
			File: fmt.Sprintf("project-%d-%s.tar.gz", i%50, version), Size: int64(10_000 + i), Digest: schema.Digest{SHA256: hex.EncodeToString(sum[:])},
		}},
		Reason: "read the changes since the last release",
	}
}

// seal signs a document. It is [records.Seal] without looking at the signature again.
func (p *person) seal(doc schema.Record) (records.Envelope, error) {
	yaml, err := doc.Marshal()
	if err != nil {
		return records.Envelope{}, err
	}
	sig, err := p.Sign(context.Background(), yaml, sshsig.NamespaceRecord)
	return records.Envelope{Path: records.Path(doc, schema.RecordID(yaml)), YAML: yaml, Sig: sig}, err
}

// sealAll signs what a person says from their i-th record up to another, on all cores.
func (p *person) sealAll(from, to int, at time.Time) ([]records.Envelope, error) {
	sealed := make([]records.Envelope, to-from)
	err := inParallel(len(sealed), func(i int) (err error) {
		sealed[i], err = p.seal(p.statement(from+i, at))
		return err
	})
	return sealed, err
}

// firstHead is the head of a set that was never published before.
func (p *person) firstHead(root string, count int64, at time.Time) (records.Head, error) {
	return records.SealHead(context.Background(), records.FirstHead(p.key, p.salt, at, func(h *schema.Head) {
		h.Name, h.Root, h.Records = p.name, root, count
		h.Keys[0].Name = "key"
	}), p)
}

// inParallel does n things on all cores, and gives the first error.
func inParallel(n int, do func(i int) error) error {
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		next  int
		first error
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next <= n && first == nil
	}
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				if err := do(i); err != nil {
					mu.Lock()
					first = err
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	return first
}
