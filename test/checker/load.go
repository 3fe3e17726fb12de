package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// load imports an input, changes a share of it, and exports twice: while the writers write, and when they have ended.
type load struct {
	dir     string
	change  float64
	writers int
}

const inputPrefix = "checker-input/"

// run prints one JSON object a line: what was imported, the folder of each export, and how much was written.
func (l *load) run(ctx context.Context, t target, path string, out io.Writer) (err error) {
	if l.change <= 0 || l.change > 1 || l.writers < 1 {
		return errUsage
	}
	j, err := createJournal(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.close()) }()
	say := json.NewEncoder(out)
	entries, originals, err := t.upload(ctx, l.dir, inputPrefix, int(math.Round(1/l.change)))
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := t.importAll(ctx, inputPrefix, entries, j); err != nil {
		return err
	}
	if err := say.Encode(map[string]any{"imported": len(entries), "seconds": time.Since(begin).Seconds()}); err != nil {
		return err
	}
	w := &writers{target: &t, journal: j}
	begin = time.Now()
	folder, during, err := l.beside(ctx, w, originals)
	if err != nil {
		return err
	}
	if err := say.Encode(map[string]any{"folder": folder, "writesWhileItRan": during}); err != nil {
		return err
	}
	written := map[string]any{"written": w.count.Load(), "lost": w.lost.Load(), "seconds": time.Since(begin).Seconds()}
	if folder, err = t.export(ctx, j); err != nil {
		return err
	}
	return errors.Join(say.Encode(map[string]any{"folder": folder}), say.Encode(written))
}

// beside lets the writers change the originals, each once; when a third is done it starts an export, and until that has
// ended the writers go on with what they all share. during counts the writes answered while the export ran.
func (l *load) beside(ctx context.Context, w *writers, originals []original) (folder string, during int64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	const shared = 5 // how many resources all writers change
	hot := originals[:min(shared, len(originals))]
	originals = originals[len(hot):]
	var next atomic.Int64
	third, ended := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var all sync.WaitGroup
	for range l.writers {
		all.Go(func() {
			for {
				n := int(next.Add(1) - 1)
				if n >= len(originals)/3 {
					once.Do(func() { close(third) })
				}
				var err error
				if n < len(originals) {
					err = w.change(ctx, n, originals[n], hot[n%len(hot)])
				} else {
					select {
					case <-ended:
						return
					default:
						err = w.change(ctx, 5, original{}, hot[n%len(hot)])
					}
				}
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	select {
	case <-third:
	case <-ctx.Done():
	}
	before := w.count.Load()
	folder, err = w.export(ctx, w.journal)
	during = w.count.Load() - before
	if err != nil {
		cancel(err) // keeps a writer's error, which came first
	}
	close(ended)
	all.Wait()
	return folder, during, context.Cause(ctx)
}

// export starts an export, journals when, and waits until it is COMPLETED.
func (t *target) export(ctx context.Context, j *journal) (folder string, err error) {
	var started struct{ JobId string }
	e := entry{Op: "export", Sent: time.Now()}
	if err := t.call(ctx, "StartFHIRExportJob", map[string]any{"DatastoreId": t.datastore, "DataAccessRoleArn": t.role, "OutputDataConfig": t.output("checker-out")}, &started); err != nil {
		return "", err
	}
	e.Time, e.ID = time.Now(), started.JobId
	if err := j.append(e); err != nil {
		return "", err
	}
	done, err := t.await(ctx, "Export", started.JobId)
	return done.OutputDataConfig.S3Configuration.S3Uri, err
}
