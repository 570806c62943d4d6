package postings

// Values writes values beside the postings.
type Values struct {
	b    *Builder
	done map[uint64]bool // put or deleted
	held []uint64
}

// Put writes a value, which is not empty, once.
func (v *Values) Put(id uint64, body []byte) error {
	v.done[id] = true
	return v.put(id, body)
}

// Delete makes sure that nothing is kept of a value of the file before this one.
func (v *Values) Delete(id uint64) error {
	v.done[id] = true
	if v.b.upon == nil {
		return nil
	}
	return v.put(id, nil) // one that is empty hides what lies below
}

func (v *Values) put(id uint64, body []byte) error {
	v.held = append(v.held, id)
	key := valueKey(id)
	return v.b.put(pair{bucketValues, key, seal(bucketValues, key, body)})
}

// finish writes the values of before that stay, and the ids of all.
func (v *Values) finish() error {
	if v.b.old != nil {
		if err := v.b.old.View(v.carry); err != nil {
			return err
		}
	}
	return v.b.space(spaceHeld, uint64(len(v.held)), []source{listed(members(v.held))}, nil)
}

func (v *Values) carry(old *View) error {
	for _, l := range v.b.before(old) { // the upper one first
		err := merge([]source{l.all(spaceHeld)}, func(p Posting) error {
			id := p.Ref
			if v.done[id] {
				return nil
			}
			v.done[id] = true
			body, err := l.get(bucketValues, valueKey(id))
			if err != nil || len(body) == 0 && v.b.upon == nil {
				return err
			}
			return v.put(id, body)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// space writes a space: what the sources give and keep lets pass, most at most.
func (b *Builder) space(space int, most uint64, sources []source, keep func(Posting) bool) error {
	for b.meta.bits[space] < maxBits && uint64(blockTarget)<<b.meta.bits[space] < most {
		b.meta.bits[space]++
	}
	var next uint32 // block that is being filled
	var block []Posting
	seal := func() error {
		key := blockKey(next)
		err := b.put(pair{bucketSpace[space], key, sealBlock(space, key, block)})
		block = block[:0]
		next++
		return err
	}
	err := merge(sources, func(p Posting) error {
		if keep != nil && !keep(p) {
			return nil
		}
		for n := b.meta.blockOf(space, p.Hash); next < n; {
			if err := seal(); err != nil {
				return err
			}
		}
		block = append(block, p)
		b.meta.count[space]++
		return nil
	})
	for err == nil && next>>b.meta.bits[space] == 0 {
		err = seal()
	}
	return err
}
