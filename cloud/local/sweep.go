package local

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"path/filepath"
	"slices"

	"tarn/fault"
	"tarn/kv"
)

// Sweep does the housekeeping: it removes bodies that no record names, which crashes leave behind; aborts uploads that
// are a week old; erases keys whose waiting time is over; and makes new material where rotation is due. It may run
// beside everything else.
func (c *Cloud) Sweep(ctx context.Context) error {
	return errors.Join(c.sweepUploads(ctx), c.sweepKeys(ctx), c.sweepBodies(ctx))
}

func (c *Cloud) sweepUploads(ctx context.Context) error {
	type stale struct {
		id     bodyID
		number uint32
		u      *uploadRecord
	}
	var list []stale
	err := c.read(ctx, func(r kv.Reader) error {
		for row, err := range scan(ctx, r, kv.Prefix([]byte(rowUpload))) {
			if err != nil {
				return err
			}
			u, err := decode[uploadRecord](row.Value)
			if err != nil {
				return err
			}
			if c.now().Sub(u.Started) < uploadLives {
				continue
			}
			s := stale{u: u}
			for _, b := range row.Key[len(rowUpload) : len(rowUpload)+4] {
				s.number = s.number<<8 | uint32(b)
			}
			copy(s.id[:], row.Key[len(rowUpload)+4:])
			list = append(list, s)
		}
		return nil
	})
	for _, s := range list {
		if aerr := c.abort(ctx, s.u.Bucket, s.number, s.id, s.u.Key); aerr != nil && !fault.Is(aerr, fault.NotFound) {
			err = errors.Join(err, aerr)
		}
	}
	return err
}

func (c *Cloud) sweepKeys(ctx context.Context) error {
	var due []string
	err := c.read(ctx, func(r kv.Reader) error {
		for row, err := range scan(ctx, r, kv.Prefix([]byte(rowKey))) {
			if err != nil {
				return err
			}
			k, err := decode[keyRecord](row.Value)
			if err != nil {
				return err
			}
			if c.isErased(k) || c.isStale(k) {
				due = append(due, k.ID)
			}
		}
		return nil
	})
	for _, id := range due {
		err = errors.Join(err, c.sweepKey(ctx, id))
	}
	return err
}

// isStale reports whether rotation is due.
func (c *Cloud) isStale(k *keyRecord) bool {
	return k.Rotation && k.State == KeyEnabled && len(k.Material) > 0 && len(k.Material) < 1<<16 &&
		!c.now().Before(k.Material[len(k.Material)-1].Created.AddDate(0, 0, k.RotateDays))
}

func (c *Cloud) sweepKey(ctx context.Context, id string) error {
	row := []byte(rowKey + id)
	return c.space.Update(ctx, [][]byte{row}, func(tx kv.Locked) (*kv.Batch, error) {
		if tx.Values[0] == nil {
			return nil, nil
		}
		k, err := decode[keyRecord](tx.Values[0])
		if err != nil {
			return nil, err
		}
		b := new(kv.Batch)
		switch {
		case c.isErased(k):
			b.Delete(row)
			for a, err := range scan(ctx, tx, kv.Prefix([]byte(rowAlias))) {
				if err != nil {
					return nil, err
				}
				rec, err := decode[aliasRecord](a.Value)
				if err != nil {
					return nil, err
				}
				if rec.Target == id {
					b.Delete(append([]byte(nil), a.Key...))
				}
			}
		case c.isStale(k):
			k.Material = append(k.Material, c.newMaterial(id))
			b.Set(row, encode(k))
		}
		return b, nil
	})
}

// found is a body file.
type found struct {
	id     bodyID
	bucket int32 // its place in the list of buckets
}

// sweepBodies removes orphans. A file counts as one if it was there before the records were read, is not being written
// by this process, and no record names it.
func (c *Cloud) sweepBodies(ctx context.Context) error {
	buckets, err := c.bodies.disk.ReadDir(c.bodies.root)
	if err != nil {
		return fault.Errorf(fault.Unavailable, "local.Sweep", "the folder of object bodies cannot be read: %w", err)
	}
	var all []found
	for i, b := range buckets {
		subs, _ := c.bodies.disk.ReadDir(filepath.Join(c.bodies.root, b.Name()))
		for _, sub := range subs {
			if err := ctx.Err(); err != nil {
				return err
			}
			all = c.candidates(all, int32(i), filepath.Join(c.bodies.root, b.Name(), sub.Name()))
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b found) int { return bytes.Compare(a.id[:], b.id[:]) })
	live := make([]bool, len(all))
	mark := func(list bodyList) {
		for _, x := range list {
			if i, ok := slices.BinarySearchFunc(all, x.ID, func(f found, id bodyID) int { return bytes.Compare(f.id[:], id[:]) }); ok {
				live[i] = true
			}
		}
	}
	if err := c.eachBodies(ctx, mark); err != nil {
		return err
	}
	read := c.bodies.pinned() // what is gone but still read goes when it is closed
	for i, f := range all {
		if !live[i] && !read[f.id] {
			c.bodies.remove(buckets[f.bucket].Name(), []body{{ID: f.id}})
		}
	}
	return nil
}

// candidates adds the body files of a folder that could be orphans.
func (c *Cloud) candidates(all []found, bucket int32, dir string) []found {
	names, _ := c.bodies.disk.ReadDir(dir) // a folder that went meanwhile has none
	for _, n := range names {
		f := found{bucket: bucket}
		raw, err := hex.DecodeString(n.Name())
		if err != nil || len(raw) != len(f.id) {
			continue
		}
		copy(f.id[:], raw)
		if !c.bodies.isWriting(f.id) {
			all = append(all, f)
		}
	}
	return all
}

// eachBodies shows fn the bodies that each record names.
func (c *Cloud) eachBodies(ctx context.Context, fn func(bodyList)) error {
	return c.read(ctx, func(r kv.Reader) error {
		for row, err := range scan(ctx, r, kv.Prefix([]byte(rowObject))) {
			if err != nil {
				return err
			}
			o, err := decode[struct{ Bodies bodyList }](row.Value)
			if err != nil {
				return err
			}
			fn(o.Bodies)
		}
		for row, err := range scan(ctx, r, kv.Prefix([]byte(rowPart))) {
			if err != nil {
				return err
			}
			p, err := decode[partRecord](row.Value)
			if err != nil {
				return err
			}
			fn(p.Body)
		}
		return nil
	})
}
