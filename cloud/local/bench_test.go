package local_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tarn/cloud"
	"tarn/cloud/cloudtest"
	"tarn/cloud/local"
	"tarn/kv/pebble"
)

const benchBody = 8 << 20

// BenchmarkPut is the export's hot path: a known body of 8 MiB under a customer's key, durable. Compare it with
// BenchmarkPlainWrite of the same run.
func BenchmarkPut(b *testing.B) {
	p := newPlace(b)
	engine := must(pebble.Open(filepath.Join(b.TempDir(), "kv"), pebble.Options{}))(b)
	b.Cleanup(func() { _ = engine.Close() })
	p.space = must(engine.Open(b.Context(), "system"))(b)
	c := p.open(b)
	s := root(c)
	must(s.CreateBucket(b.Context(), "exports", "", ""))(b)
	key := must(s.CreateKey(b.Context(), local.KeyRequest{}))(b)
	p.people.trust[roleARN] = trustHealthLake
	p.people.allow(roleARN, allowAll)
	bucket := must(c.Assume(b.Context(), trusting()))(b).Bucket("exports")
	body := cloudtest.Bytes("b", benchBody)
	sum := sha256.Sum256(body)
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.SetBytes(benchBody)
			b.ReportAllocs()
			each(b, workers, func(i int) error {
				return bucket.Put(b.Context(), fmt.Sprint(i%20), bytes.NewReader(body), benchBody, cloud.PutOptions{KMSKeyID: key.ARN, SHA256: sum[:]})
			})
		})
	}
}

// BenchmarkPlainWrite writes and syncs the same bytes to files.
func BenchmarkPlainWrite(b *testing.B) {
	dir := b.TempDir()
	body := cloudtest.Bytes("b", benchBody)
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.SetBytes(benchBody)
			each(b, workers, func(i int) error {
				f, err := os.Create(filepath.Join(dir, fmt.Sprint(i%20, ".new")))
				if err != nil {
					return err
				}
				if _, err := f.Write(body); err != nil {
					return err
				}
				if err := f.Sync(); err != nil {
					return err
				}
				if err := f.Close(); err != nil {
					return err
				}
				return os.Rename(f.Name(), filepath.Join(dir, fmt.Sprint(i%20)))
			})
		})
	}
}

// each runs do(0), do(1), ... b.N times on so many workers.
func each(b *testing.B, workers int, do func(i int) error) {
	next := make(chan int)
	errs := make(chan error, workers)
	for range workers {
		go func() {
			var err error
			for i := range next {
				if err == nil {
					err = do(i)
				}
			}
			errs <- err
		}()
	}
	for i := range b.N {
		next <- i
	}
	close(next)
	for range workers {
		check(b, <-errs)
	}
}
