package pebble_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"tarn/kv/pebble"
)

func TestTraffic_isManySmallCommits(t *testing.T) {
	t.Parallel()
	const small, large = 1 << 10, 1 << 20
	cases := []struct {
		name   string
		size   int
		count  int
		every  time.Duration
		isLive bool
	}{
		{"none", small, 0, 0, false},
		{"writes of users", small, pebble.LiveCommits, 10 * time.Millisecond, true},
		{"one too few", small, pebble.LiveCommits - 1, 10 * time.Millisecond, false},
		{"a small commit now and then", small, 100, time.Second, false},
		{"an import", large, 100, 10 * time.Millisecond, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				committed, isLive := pebble.NewTraffic()
				for range c.count {
					time.Sleep(c.every)
					committed(c.size)
				}
				if isLive() != c.isLive {
					t.Errorf("live is %t", !c.isLive)
				}
				time.Sleep(2 * time.Second)
				if isLive() {
					t.Error("live is what ended two seconds ago")
				}
			})
		})
	}
}

func TestPacedFile_rests(t *testing.T) {
	t.Parallel()
	for _, live := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			fs := vfs.NewMem()
			f, err := fs.Create("f", vfs.WriteCategoryUnspecified)
			if err != nil {
				t.Fatal(err)
			}
			paced := pebble.NewPacedFile(f, func() bool { return live })
			begin := time.Now()
			for _, work := range []time.Duration{time.Millisecond, time.Millisecond, time.Second} {
				time.Sleep(work)
				if n, err := paced.Write(make([]byte, pebble.PaceBytes)); n != pebble.PaceBytes || err != nil {
					t.Fatalf("wrote %d: %v", n, err)
				}
			}
			want := 1002 * time.Millisecond
			if live {
				want += 2*time.Millisecond + pebble.PaceLongest
			}
			if took := time.Since(begin); took != want {
				t.Errorf("live %t: took %s, not %s", live, took, want)
			}
			if err := paced.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
