package ingest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/job"
	"tarn/kv/kvtest"
)

// A line and a log that take hours to be sent are slow and not stuck.
func TestImport_isNotStuckWhileItIsSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var lines strings.Builder
		fmt.Fprintf(&lines, `{"resourceType":"Patient","id":"large","text":{"status":"generated","div":"<div>%s</div>"}}`+"\n", strings.Repeat("x", 2<<20))
		for n := range 3000 {
			lines.WriteString(patient(fmt.Sprint(n)))
		}
		w.cloud.objects["in/a.ndjson"] = []byte(lines.String())
		w.cloud.onRead = func() { time.Sleep(10 * time.Minute) }
		rec := w.start()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.runner().Run(ctx) }()
		time.Sleep(90 * 24 * time.Hour)
		stop()
		must(t, <-done)
		got := w.describe(rec)
		if got.State != job.Completed && got.State != job.CompletedWithErrors || got.Progress.ResourcesTotal != 3001 {
			t.Errorf("%s: %s, %+v", got.State, got.Message, got.Progress)
		}
	})
}

// A packed file that is read again from its start, since the work failed in its middle, is passed over slowly, without any
// progress, and is not stuck.
func TestImport_isNotStuckWhileItPassesOverWhatIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var lines strings.Builder
		noise, text := rand.NewChaCha8([32]byte{}), make([]byte, 1000)
		for n := range 10_000 {
			_, _ = noise.Read(text)
			fmt.Fprintf(&lines, `{"resourceType":"Patient","id":"p%d","name":[{"family":"%x"}]}`+"\n", n, text)
		}
		w.cloud.set("in/a.ndjson.gz", pack(t, "gz", lines.String()))
		reads, failed, again := 0, 0, 0
		w.cloud.onRead = func() {
			reads++
			time.Sleep(10 * time.Minute)
		}
		gets, writes := 0, 0
		w.cloud.onGet = func(string) { gets++ }
		w.faults.Hook(func(one kvtest.Write) kvtest.Fault {
			if one.Space == "system" {
				return kvtest.NoFault
			}
			switch writes++; {
			case writes > 1 && gets == 1: // behind the first step, until the file is read again
				failed = reads
				return kvtest.Before
			case gets == 2 && again == 0:
				again = reads - failed
			}
			return kvtest.NoFault
		})
		rec := w.start()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.runner().Run(ctx) }()
		time.Sleep(30 * 24 * time.Hour)
		stop()
		must(t, <-done)
		if got := w.describe(rec); got.State != job.Completed || got.Progress.Resources != 10_000 {
			t.Errorf("%s: %s, %+v", got.State, got.Message, got.Progress)
		}
		if again < 10 {
			t.Errorf("it read %d times before the fault and %d times behind it: nothing was passed over", failed, again)
		}
	})
}
