package local

import (
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// orphanAge is how old a body without a record must be before it is removed from a folder that others use too.
const orphanAge = 24 * time.Hour

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

// sweepBodies removes orphans, folder by folder. A file counts as one if it was there before the records were read, is
// not being written by this process, and no record names it.
func (c *Cloud) sweepBodies(ctx context.Context) error {
	buckets, err := os.ReadDir(c.bodies.root)
	if err != nil {
		return fault.Errorf(fault.Unavailable, "local.Sweep", "the folder of object bodies cannot be read: %w", err)
	}
	type file struct {
		bucket string
		id     bodyID
	}
	var found []file
	for _, b := range buckets {
		if !b.IsDir() {
			continue
		}
		subs, _ := os.ReadDir(filepath.Join(c.bodies.root, b.Name()))
		for _, sub := range subs {
			if err := ctx.Err(); err != nil {
				return err
			}
			names, _ := os.ReadDir(filepath.Join(c.bodies.root, b.Name(), sub.Name()))
			for _, n := range names {
				f := file{bucket: b.Name()}
				raw, err := hex.DecodeString(n.Name())
				if err != nil || len(raw) != len(f.id) {
					continue
				}
				copy(f.id[:], raw)
				if c.bodies.isWriting(f.id) || c.bodies.shared && !isOlder(n, c.now().Add(-orphanAge)) {
					continue
				}
				found = append(found, f)
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	live, err := c.liveBodies(ctx)
	if err != nil {
		return err
	}
	read := c.bodies.pinned() // what is gone but still read goes when it is closed
	for _, f := range found {
		if !read[f.id] && !live[f.id] {
			c.bodies.remove(f.bucket, []body{{ID: f.id}})
		}
	}
	return nil
}

func isOlder(e os.DirEntry, when time.Time) bool {
	st, err := e.Info()
	return err == nil && st.ModTime().Before(when)
}

// liveBodies are all bodies that records name.
func (c *Cloud) liveBodies(ctx context.Context) (map[bodyID]bool, error) {
	live := map[bodyID]bool{}
	err := c.read(ctx, func(r kv.Reader) error {
		for row, err := range scan(ctx, r, kv.Prefix([]byte(rowObject))) {
			if err != nil {
				return err
			}
			o, err := decode[struct{ Bodies bodyList }](row.Value)
			if err != nil {
				return err
			}
			for _, x := range o.Bodies {
				live[x.ID] = true
			}
		}
		for row, err := range scan(ctx, r, kv.Prefix([]byte(rowPart))) {
			if err != nil {
				return err
			}
			p, err := decode[partRecord](row.Value)
			if err != nil {
				return err
			}
			for _, x := range p.Body {
				live[x.ID] = true
			}
		}
		return nil
	})
	return live, err
}
