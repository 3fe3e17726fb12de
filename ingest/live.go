package ingest

import (
	"context"
	"io"
	"iter"

	"tarn/cloud"
	"tarn/job"
)

// liveBucket is a bucket of which all that is read, written and listed is a sign of life of a job.
type liveBucket struct {
	cloud.Bucket
	run *job.Run
}

func (b liveBucket) Get(ctx context.Context, key string, offset, n int64) (io.ReadCloser, error) {
	r, err := b.Bucket.Get(ctx, key, offset, n)
	if err != nil {
		return nil, err
	}
	return b.run.Download(r), nil
}

func (b liveBucket) Put(ctx context.Context, key string, body io.ReadSeeker, size int64, o cloud.PutOptions) error {
	return b.Bucket.Put(ctx, key, b.run.Upload(body), size, o)
}

func (b liveBucket) List(ctx context.Context, prefix string) iter.Seq2[cloud.Object, error] {
	return func(yield func(cloud.Object, error) bool) {
		for o, err := range b.Bucket.List(ctx, prefix) {
			b.run.Alive()
			if !yield(o, err) {
				return
			}
		}
	}
}
