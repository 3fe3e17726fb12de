package local

import (
	"context"
	"io"
	"iter"

	"tarn/cloud"
	"tarn/kv"
)

// ownBucket is the service's own bucket. Its name is none that S3 allows, and sessions of callers do not find it.
const ownBucket = "_results"

// Own implements cloud.Cloud. The bucket is made when it is first asked for; its objects are under SSE-S3.
func (c *Cloud) Own(ctx context.Context) (cloud.OwnBucket, error) {
	row := bucketRow(ownBucket)
	rec, err := fetch[bucketRecord](ctx, c, row)
	if err != nil {
		return nil, err
	}
	if rec == nil {
		rec = c.newBucket(ownBucket, c.region, ownerEnforced)
		err = c.space.Update(ctx, [][]byte{row, []byte(rowNext)}, func(tx kv.Locked) (*kv.Batch, error) {
			if tx.Values[0] != nil {
				return nil, nil
			}
			return rec.found(tx.Values[1]), nil
		})
	}
	return own{c}, err
}

// own is the bucket as the service sees it.
type own struct{ c *Cloud }

func (b own) session() *Session {
	s := b.c.As(Caller{})
	s.own = true
	return s
}

// Put implements cloud.OwnBucket.
func (b own) Put(ctx context.Context, key string, body io.ReadSeeker, size int64, o cloud.PutOptions) error {
	return putWhole(ctx, b.session(), ownBucket, key, body, size, o)
}

// Get implements cloud.OwnBucket.
func (b own) Get(ctx context.Context, key string, offset, n int64) (io.ReadCloser, error) {
	return getRange(ctx, b.session(), ownBucket, key, offset, n)
}

// List implements cloud.OwnBucket.
func (b own) List(ctx context.Context, prefix string) iter.Seq2[cloud.Object, error] {
	return listAll(ctx, func() (*Session, error) { return b.session(), nil }, ownBucket, prefix)
}

// Delete implements cloud.OwnBucket.
func (b own) Delete(ctx context.Context, key string) error {
	return b.session().DeleteObject(ctx, ownBucket, key)
}
