package store_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"tarn/fhir"
	"tarn/kv/pebble"
	"tarn/store"
)

const benchSize = 1400

// benchStore opens a store on a real disk.
func benchStore(b *testing.B) *store.Store {
	e, err := pebble.Open(b.TempDir(), pebble.Options{})
	if err != nil {
		b.Fatal(err)
	}
	space, err := e.Open(context.Background(), "ds-bench")
	if err != nil {
		b.Fatal(err)
	}
	s, err := store.Open(context.Background(), space, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = s.Close()
		_ = e.Close()
	})
	return s
}

// benchResources are documents of 1.4 KB that compress as real ones do.
func benchResources(n int) []fhir.Resource {
	p := fhir.NewParser(fhir.Limits{})
	list := make([]fhir.Resource, n)
	for i := range list {
		text := fmt.Appendf(nil, `{"resourceType":"Observation","status":"final"`)
		for j := 0; len(text) < benchSize; j++ {
			text = fmt.Appendf(text, `,"x%d":{"coding":[{"system":"http://loinc.org","code":"%d-%d"}],"value":%d.%d}`, j, i*31+j, j, i^j*7919, j)
		}
		r, err := p.Parse(append(text, '}'))
		if err != nil {
			panic(err)
		}
		list[i] = r
	}
	return list
}

func benchTransaction(list []fhir.Resource, from, n int, entries []store.Entry) store.Transaction {
	t := store.Transaction{Bulk: true, Writes: make([]store.Write, n)}
	for i := range t.Writes {
		// Ids that are spread like random UUIDs.
		x := uint64(from+i) * 0x9e3779b97f4a7c15
		t.Writes[i] = store.Write{Op: store.Put, Type: types[1], ID: fmt.Sprintf("%016x-%016x", x, x*31), Resource: list[(from+i)%len(list)], Entries: entries}
	}
	return t
}

func load(b *testing.B, s *store.Store, list []fhir.Resource, total int, entries []store.Entry) {
	var loaders sync.WaitGroup
	var next atomic.Int64
	for range 2 {
		loaders.Go(func() {
			for {
				from := int(next.Add(1000)) - 1000
				if from >= total {
					return
				}
				if _, err := s.Commit(context.Background(), benchTransaction(list, from, 1000, entries)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	loaders.Wait()
}

func BenchmarkLoad(b *testing.B) {
	list := benchResources(2000)
	var entries []store.Entry
	for i := range 12 {
		entries = append(entries, store.Entry{Param: uint16(i), Value: fmt.Appendf(nil, "http://loinc.org|%d-%d", i*1000, i)})
	}
	for _, n := range []int{0, 12} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			for range b.N {
				load(b, benchStore(b), list, 100_000, entries[:n])
			}
			b.ReportMetric(float64(b.N)*100_000/b.Elapsed().Seconds(), "resources/s")
		})
	}
}

func BenchmarkCreate(b *testing.B) {
	list := benchResources(1000)
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := benchStore(b)
			var next atomic.Int64
			var group sync.WaitGroup
			b.ResetTimer()
			for range writers {
				group.Go(func() {
					for i := int(next.Add(1)); i <= b.N; i = int(next.Add(1)) {
						t := benchTransaction(list, i, 1, nil)
						t.Bulk = false
						if _, err := s.Commit(context.Background(), t); err != nil {
							b.Error(err)
						}
					}
				})
			}
			group.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
		})
	}
}

func BenchmarkScan(b *testing.B) {
	s := benchStore(b)
	const total = 100_000
	load(b, s, benchResources(2000), total, nil)
	head, err := s.Head(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	for _, newer := range []int{0, 5000} {
		if newer > 0 {
			load(b, s, benchResources(10), newer, nil)
		}
		b.Run(fmt.Sprintf("newer=%d", newer), func(b *testing.B) {
			v, err := s.At(context.Background(), head.Tx)
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				scan := v.Scan(context.Background(), types[1], 0, store.End)
				for scan.Next() {
					n += min(1, len(scan.Body()))
				}
				if err := scan.Close(); err != nil || scan.Err() != nil {
					b.Fatal(err, scan.Err())
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "resources/s")
			_ = v.Close()
		})
	}
}

func BenchmarkRead(b *testing.B) {
	s := benchStore(b)
	const total = 100_000
	load(b, s, benchResources(2000), total, nil)
	var next atomic.Int64
	b.ResetTimer()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			x := uint64(next.Add(7919)%total) * 0x9e3779b97f4a7c15
			v, err := s.Latest(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			if _, err := v.Read(context.Background(), types[1], fmt.Sprintf("%016x-%016x", x, x*31)); err != nil {
				b.Fatal(err)
			}
			_ = v.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reads/s")
}
