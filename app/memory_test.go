package app_test

import (
	"math"
	"os"
	"runtime/debug"
	"testing"

	"tarn/app"
)

// TestOpen_boundsMemory finds the bound that every Open sets alike in this process.
func TestOpen_boundsMemory(t *testing.T) {
	t.Parallel()
	a, err := app.Open(t.Context(), app.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	limit := debug.SetMemoryLimit(-1)
	if os.Getenv("GOMEMLIMIT") == "" && (limit == math.MaxInt64 || limit > 256<<20) {
		t.Errorf("memory may grow to %d bytes before the collector works harder", limit)
	}
}
