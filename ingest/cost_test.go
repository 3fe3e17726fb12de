package ingest_test

import (
	"fmt"
	"io"
	"testing"

	"tarn/ingest"
)

// BenchmarkLog_ofWhatWasStored is what the log of one resource costs: to be kept, and to be written, each 10,000 at once.
func BenchmarkLog_ofWhatWasStored(b *testing.B) {
	const n = 10_000
	records := make([]ingest.RecordForTest, n)
	for i := range records {
		records[i] = ingest.RecordForTest{Line: int64(i + 1), Type: 100, ID: fmt.Sprintf("%08x-1234-4abc-8def-%012x", i*7919, i), Number: 1, Created: true}
	}
	b.Run("keep", func(b *testing.B) {
		b.SetBytes(int64(len(ingest.PieceForTest(records))))
		for b.Loop() {
			ingest.PieceForTest(records)
		}
	})
	piece := ingest.PieceForTest(records)
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			logs, err := ingest.SuccessLogsForTest("out/", "a.ndjson", [][]byte{piece})
			if err != nil {
				b.Fatal(err)
			}
			for _, l := range logs {
				size, err := io.Copy(io.Discard, l)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(size)
			}
		}
	})
}
