package pebble_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"

	"tarn/kv"
	"tarn/kv/pebble"
)

// resource makes a JSON document of about 1.4 KB, as like and unlike its neighbours as laboratory results are.
func resource(i int) []byte {
	rng := rand.New(rand.NewPCG(5, uint64(i)))
	id := func() string {
		return fmt.Sprintf("%08x-%04x-4%03x", rng.Uint32(), rng.Uint32()&0xffff, rng.Uint32()&0xfff)
	}
	doc := fmt.Appendf(nil, `{"resourceType":"Observation","id":"%s","meta":{"versionId":"1","lastUpdated":"2026-%02d-%02dT%02d:%02d:11.%03dZ","profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"]},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"Laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"%d-%d","display":"Some measured substance no. %d"}]},"subject":{"reference":"Patient/%s"},"encounter":{"reference":"Encounter/%s"},`,
		id(), 1+rng.IntN(12), 1+rng.IntN(28), rng.IntN(24), rng.IntN(60), rng.IntN(1000), rng.IntN(9000), rng.IntN(10), rng.IntN(500), id(), id())
	for c := range 4 {
		doc = fmt.Appendf(doc, `"component%d":[{"code":{"coding":[{"system":"http://loinc.org","code":"%d-%d"}]},"valueQuantity":{"value":%d.%d,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}}],`,
			c, rng.IntN(9000), rng.IntN(10), rng.IntN(200), rng.IntN(1000))
	}
	return fmt.Appendf(doc, `"performer":[{"reference":"Organization/%s"}]}`, id())
}

const benchRows = 100_000

func benchSpace(b *testing.B) (*pebble.Engine, kv.Space) {
	b.Helper()
	dir, err := os.MkdirTemp(os.Getenv("TARN_BENCH_DIR"), "kv-pebble-")
	if err != nil {
		b.Fatal(err)
	}
	e, err := pebble.Open(dir, pebble.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s, err := e.Open(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = errors.Join(e.Close(), os.RemoveAll(dir)) })
	return e, s
}

func fill(b *testing.B, s kv.Space, docs [][]byte) {
	b.Helper()
	for from := 0; from < len(docs); from += 1000 {
		err := s.Update(b.Context(), [][]byte{[]byte("head")}, func(kv.Locked) (*kv.Batch, error) {
			var batch kv.Batch
			for i := from; i < from+1000; i++ {
				batch.Set(fmt.Appendf(nil, "r\x01%06x", i), docs[i])
			}
			return &batch, nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func documents() [][]byte {
	docs := make([][]byte, benchRows)
	for i := range docs {
		docs[i] = resource(i)
	}
	return docs
}

// BenchmarkUpdate_batches loads 100,000 documents in durable batches of 1,000.
func BenchmarkUpdate_batches(b *testing.B) {
	docs := documents()
	for b.Loop() {
		_, s := benchSpace(b)
		fill(b, s, docs)
		size, err := s.Size(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(size)/1e6, "MB-on-disk")
	}
	b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkLoad loads the same by the sorted bulk path.
func BenchmarkLoad(b *testing.B) {
	docs := documents()
	for b.Loop() {
		_, s := benchSpace(b)
		err := s.Load(b.Context(), func(yield func(kv.Entry, error) bool) {
			for i, doc := range docs {
				if !yield(kv.Entry{Key: fmt.Appendf(nil, "r\x01%06x", i), Value: doc}, nil) {
					return
				}
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		size, err := s.Size(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(size)/1e6, "MB-on-disk")
	}
	b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkScan reads all rows, keys and values.
func BenchmarkScan(b *testing.B) {
	_, s := benchSpace(b)
	fill(b, s, documents())
	n, err := s.Snapshot(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = n.Close() }()
	bytes := 0
	for b.Loop() {
		it := n.Scan(b.Context(), kv.Range{})
		for it.Next() {
			bytes += len(it.Key()) + len(it.Value())
		}
		if err := errors.Join(it.Err(), it.Close()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(bytes)/1e6/b.Elapsed().Seconds(), "MB/s")
}

// BenchmarkGet reads single rows in random order.
func BenchmarkGet(b *testing.B) {
	_, s := benchSpace(b)
	fill(b, s, documents())
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n, err := s.Snapshot(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			if _, err := n.Get(b.Context(), fmt.Appendf(nil, "r\x01%06x", rand.IntN(benchRows))); err != nil {
				b.Fatal(err)
			}
			_ = n.Close()
		}
	})
}

// BenchmarkUpdate_single writes one document durably, from 1 and from 16 sides with locks of their own.
func BenchmarkUpdate_single(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			_, s := benchSpace(b)
			var n atomic.Int64
			b.SetParallelism(writers / 2) // of two processors
			if writers == 1 {
				b.SetParallelism(1)
			}
			write := func() {
				i := n.Add(1)
				key := fmt.Appendf(nil, "r%d", i)
				doc := resource(int(i))
				if err := s.Update(b.Context(), [][]byte{key}, func(kv.Locked) (*kv.Batch, error) {
					var batch kv.Batch
					batch.Set(key, doc)
					return &batch, nil
				}); err != nil {
					b.Error(err)
				}
			}
			if writers == 1 {
				for b.Loop() {
					write()
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						write()
					}
				})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
		})
	}
}
