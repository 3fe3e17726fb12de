package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/job"
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
