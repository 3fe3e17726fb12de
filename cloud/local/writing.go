package local

import (
	"bytes"
	"context"
	"crypto/md5"
	"hash"
	"io"

	"tarn/fault"
	"tarn/kv"
)

// writing is one body on its way to the disk.
type writing struct {
	bucket   string
	body     io.Reader
	size     int64
	dataKey  []byte
	md5      []byte
	checksum Checksum
	needMD5  bool
}

// written is a body that is durable and has no record yet.
type written struct {
	bodies bodyList
	size   int64
	md5    []byte
	sums   map[string]string
}

// write encrypts a body to a file of its own, and checks that it was what the request promised.
func (c *Cloud) write(ctx context.Context, w writing) (written, error) {
	sum, err := w.checksum.start()
	if err != nil {
		return written{}, err
	}
	var hashes []io.Writer
	var md hash.Hash
	if w.needMD5 || w.md5 != nil {
		md = md5.New()
		hashes = append(hashes, md)
	}
	if sum != nil {
		hashes = append(hashes, sum)
	}
	src := w.body
	switch len(hashes) {
	case 0:
	case 1:
		src = io.TeeReader(src, hashes[0])
	default:
		src = io.TeeReader(src, io.MultiWriter(hashes...))
	}
	id, f, err := c.bodies.create(w.bucket)
	if err != nil {
		return written{}, err
	}
	n, err := encrypt(ctx, f, src, w.dataKey, id)
	if err == nil && n != w.size {
		err = s3Error(fault.Invalid, "IncompleteBody", "The request body has %d bytes, %d were announced", n, w.size)
	}
	out := written{size: n}
	if err == nil && md != nil {
		out.md5 = md.Sum(nil)
		if w.md5 != nil && !bytes.Equal(w.md5, out.md5) {
			err = s3Error(fault.Invalid, "BadDigest", "The Content-MD5 you specified did not match what we received.")
		}
		if !w.needMD5 {
			out.md5 = nil
		}
	}
	if err == nil && sum != nil {
		out.sums, err = w.checksum.check(sum)
	}
	if err != nil || n == 0 {
		_ = f.Close()
		c.bodies.drop(w.bucket, id)
		return out, err
	}
	if err := c.bodies.finish(w.bucket, id, f); err != nil {
		c.bodies.drop(w.bucket, id)
		return out, err
	}
	out.bodies = bodyList{{ID: id, Size: n}}
	return out, nil
}

// precondition is what must hold of the object that is there when another takes its place.
type precondition struct {
	ifMatch     string
	ifNoneMatch bool
}

func (p precondition) check(old *objectRecord) error {
	switch {
	case p.ifNoneMatch && old != nil, p.ifMatch != "" && old != nil && p.ifMatch != old.ETag && p.ifMatch != "*":
		return s3Error(fault.Precondition, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	case p.ifMatch != "" && old == nil:
		return s3Error(fault.NotFound, "NoSuchKey", "The specified key does not exist.")
	}
	return nil
}

// commit puts an object's record, whose bodies are durable, in the place of what is there. also may add to the batch.
// After an error the new bodies are removed, if it is certain that no record names them.
func (c *Cloud) commit(ctx context.Context, rec *bucketRecord, key string, o *objectRecord, p precondition, also func(kv.Locked, *kv.Batch) error) error {
	row := objectRow(rec.Number, key)
	var old *objectRecord
	handed := false
	err := c.space.Update(ctx, [][]byte{gate(rec.Number, key)}, func(tx kv.Locked) (*kv.Batch, error) {
		values, err := tx.Get(ctx, bucketRow(rec.Name), row)
		if err != nil {
			return nil, err
		}
		if err := c.stillThere(rec, values[0]); err != nil {
			return nil, err
		}
		if values[1] != nil {
			if old, err = decode[objectRecord](values[1]); err != nil {
				return nil, err
			}
		}
		if err := p.check(old); err != nil {
			return nil, err
		}
		b := new(kv.Batch)
		if also != nil {
			if err := also(tx, b); err != nil {
				return nil, err
			}
		}
		b.Set(row, encode(o))
		handed = true
		return b, nil
	})
	for _, x := range o.Bodies {
		if err != nil && !handed && also == nil {
			c.bodies.drop(rec.Name, x.ID)
		}
		c.bodies.settle(x.ID)
	}
	if err == nil && old != nil {
		c.bodies.remove(rec.Name, old.Bodies)
	}
	return err
}

// stillThere reports whether the bucket of a record is still that bucket.
func (c *Cloud) stillThere(rec *bucketRecord, row []byte) error {
	if row == nil {
		return noSuchBucket(c.bucketARN(rec.Name))
	}
	now, err := decode[bucketRecord](row)
	if err == nil && now.Number != rec.Number {
		err = noSuchBucket(c.bucketARN(rec.Name))
	}
	return err
}
