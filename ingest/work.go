package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"tarn/cloud"
	"tarn/export"
	"tarn/fault"
	"tarn/fhir/validate"
	"tarn/job"
	"tarn/store"
)

// ImportWork carries out import jobs for a job.Runner. It is a job.Canceller too: what a cancelled import has applied
// stays, and so do the logs that it has written; what it kept for a log that will not be written goes.
func (s *Service) ImportWork() job.Work { return importWork{s} }

type importWork struct{ *Service }

// progressEvery is how often the ledger is told of progress, at most.
const progressEvery = time.Second

// longestRest bounds a pause of an import beside live traffic.
const longestRest = 100 * time.Millisecond

// Run implements job.Work.
func (w importWork) Run(ctx context.Context, run *job.Run) error {
	rec := run.Record()
	j, err := ParseJob(rec.Params)
	if err != nil {
		return err
	}
	st, err := w.o.Datastores.Store(ctx, j.Datastore)
	if err != nil {
		return err
	}
	to := w.output(j)
	checked, err := to.Check(ctx, w.o.Cloud)
	if err != nil {
		return err
	}
	if len(checked.Findings) > 0 {
		return &export.PreflightError{Job: "import", Findings: checked.Findings}
	}
	role, err := to.Assume(ctx, w.o.Cloud, "import-"+rec.ID)
	if err != nil {
		return err
	}
	e := &execution{run: run, job: j, id: rec.ID, store: st, in: role.Bucket(j.InputBucket), out: role.Bucket(j.OutputBucket),
		folder: j.OutputPrefix + Folder(j.Datastore, rec.ID)}
	e.profiles = func(ctx context.Context) (validate.Profiles, error) {
		if w.o.Profiles == nil {
			return nil, nil
		}
		return w.o.Profiles.Profiles(ctx, j.Datastore)
	}
	if e.files, err = planned(ctx, run, e.in, j.InputPrefix); err != nil {
		return err
	}
	if e.at, err = readPlace(ctx, st, e.id); err != nil {
		return err
	}
	err = e.work(ctx)
	if err != nil && !errors.Is(err, job.ErrTermLost) { // a stopped or failed job shows how far it came
		_ = e.tell(context.WithoutCancel(ctx), true)
		if ctx.Err() == nil && !fault.Is(err, fault.Unavailable) {
			e.abandon(ctx)
		}
	}
	return err
}

// Cancelled implements job.Canceller.
func (w importWork) Cancelled(ctx context.Context, run *job.Run) error {
	rec := run.Record()
	st, err := w.o.Datastores.Store(ctx, rec.Datastore)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Gone) || fault.Is(err, fault.Conflict) {
		return nil // it is being deleted, with all that is in it
	}
	if err != nil {
		return err
	}
	at, err := readPlace(ctx, st, rec.ID)
	if err != nil {
		return err
	}
	_, err = forget(ctx, st, rec.ID, at, 0)
	return err
}

// execution is one run of one import.
type execution struct {
	run      *job.Run
	job      Job
	id       string
	store    *store.Store
	profiles func(context.Context) (validate.Profiles, error)
	in, out  cloud.Bucket
	folder   string
	files    *inputs
	at       place
	told     time.Time // when the ledger was last told
	shy      shyness
}

// work does file after file, and then the manifest.
func (e *execution) work(ctx context.Context) error {
	if err := e.tell(ctx, true); err != nil {
		return err
	}
	for e.at.File < e.files.count {
		f, err := e.files.at(e.at.File)
		if err != nil {
			return err
		}
		if err := e.file(ctx, f); err != nil {
			return err
		}
	}
	return e.finish(ctx)
}

// file reads what is left of a file, applies it, and writes its failure log.
func (e *execution) file(ctx context.Context, f input) error {
	n := e.at.File
	if (e.at.Offset < f.Size || packingOf(f.Key) != plain) && !e.at.Logged {
		if err := e.read(ctx, f); err != nil {
			return err
		}
	}
	if e.at.File == n { // else the last line has ended it
		if err := e.log(ctx, f); err != nil {
			return err
		}
		next := e.at.nextFile()
		riders := []store.Rider{next.rider(e.id)}
		for k := range e.at.Pieces {
			riders = append(riders, store.Rider{Key: pieceKey(e.id, n, k)})
		}
		if _, err := e.store.Commit(ctx, store.Transaction{Riders: riders, Bulk: true}); err != nil {
			return err
		}
		e.at = next
	}
	return e.tell(ctx, false)
}

// rest pauses when a commit has kept somebody waiting, for as long as it took: so that at most every other moment of the
// disk and the processors is the import's.
func rest(ctx context.Context, worked time.Duration) {
	timer := time.NewTimer(min(worked, longestRest))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (e *execution) read(ctx context.Context, f input) (err error) {
	r, err := open(ctx, e.in, e.job.InputBucket, f, e.at.Offset)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	level, _ := validate.ParseLevel(e.job.ValidationLevel) // the face let no other in
	var profiles validate.Profiles                         // as installed when a file is begun
	if level == validate.Strict {
		if profiles, err = e.profiles(ctx); err != nil {
			return err
		}
	}
	p := startPipeline(ctx, r, e.at, e.store.Contended, func() *preparer { return newPreparer(level, profiles) })
	defer p.stop()
	ctx = p.ctx
	from := &supply{pieces: p.pieces}
	e.shy = shyness{}
	for {
		b, err := e.next(ctx, from)
		if err != nil {
			return err
		}
		p.release(b)
		if b.err != nil {
			return b.err
		}
		if b.last {
			return nil
		}
		if err := e.tell(ctx, false); err != nil {
			return err
		}
	}
}

// next applies what comes next of a file: by the load where that is possible, else by a commit.
func (e *execution) next(ctx context.Context, from *supply) (*batch, error) {
	alone := func() bool { return !e.store.Contended() }
	if e.mayLoad(alone) {
		if b, err := e.load(ctx, from, alone); b != nil || err != nil {
			return b, err
		}
	}
	b, ok := from.next()
	if !ok {
		return nil, context.Cause(ctx)
	}
	gather(b, from, alone)
	return b, e.commit(ctx, b)
}

func (e *execution) commit(ctx context.Context, b *batch) (err error) {
	if b.scanned == 0 {
		return nil
	}
	begin, came := time.Now(), e.store.Arrivals()
	if e.at, err = commit(ctx, e.store, e.id, e.at, b); err == nil && e.store.Arrivals() != came {
		rest(ctx, time.Since(begin))
	}
	return err
}

// tell brings the ledger's progress up to date, now and then or always.
func (e *execution) tell(ctx context.Context, always bool) error {
	if now := time.Now(); always || now.Sub(e.told) >= progressEvery {
		e.told = now
		return e.run.SetProgress(ctx, func(p *job.Progress) {
			e.at.progress(p)
			p.FilesTotal = int64(e.files.count)
			if !e.files.packed {
				p.BytesTotal = e.files.bytes
			}
		})
	}
	return nil
}

// forgetAtOnce is how many pieces of a log one commit deletes.
const forgetAtOnce = 1000

// log writes the failure log of a file that has been read to its end. Of a long one, all but the first pieces are then
// deleted bit by bit, under a place that says that the log needs them no more.
func (e *execution) log(ctx context.Context, f input) error {
	if e.at.Pieces == 0 {
		return nil
	}
	if !e.at.Logged {
		if err := e.putLog(ctx, f); err != nil {
			return err
		}
	}
	var err error
	e.at, err = forget(ctx, e.store, e.id, e.at, forgetAtOnce)
	return err
}

func (e *execution) putLog(ctx context.Context, f input) error {
	l := &logReader{ctx: ctx, store: e.store, key: func(n int) []byte { return pieceKey(e.id, e.at.File, n) }, count: e.at.Pieces, size: e.at.LogBytes}
	return e.put(ctx, logName(e.folder, strings.TrimPrefix(f.Key, e.job.InputPrefix)), l, l.size, "application/x-ndjson")
}

// forget deletes pieces of a log that is written, or will never be, until at most keep are left.
func forget(ctx context.Context, st *store.Store, jobID string, at place, keep int) (place, error) {
	for at.Pieces > keep {
		next := at
		next.Logged, next.Pieces = true, max(keep, at.Pieces-forgetAtOnce)
		riders := []store.Rider{next.rider(jobID)}
		for n := next.Pieces; n < at.Pieces; n++ {
			riders = append(riders, store.Rider{Key: pieceKey(jobID, at.File, n)})
		}
		if _, err := st.Commit(ctx, store.Transaction{Riders: riders, Bulk: true}); err != nil {
			return at, err
		}
		at = next
	}
	return at, nil
}

// abandon leaves a job that has failed for good: the log of the file under way is written as far as it came, if it can
// be, and its pieces go. That it fails changes nothing.
func (e *execution) abandon(ctx context.Context) {
	if e.at.Pieces == 0 {
		return
	}
	if f, err := e.files.at(e.at.File); err == nil && !e.at.Logged {
		_ = e.putLog(ctx, f)
	}
	_, _ = forget(ctx, e.store, e.id, e.at, 0)
}

func (e *execution) put(ctx context.Context, key string, body io.ReadSeeker, size int64, media string) error {
	return e.out.Put(ctx, key, body, size, cloud.PutOptions{KMSKeyID: e.job.KeyARN, ContentType: media})
}

// finish writes the manifest. The place stays, so that a finish that is done again finds it.
func (e *execution) finish(ctx context.Context) error {
	b, err := newManifest(e.job, e.id, e.files, e.at).marshal()
	if err != nil {
		return fault.Wrap("ingest.finish", err)
	}
	if err := e.put(ctx, e.folder+"manifest.json", bytes.NewReader(b), int64(len(b)), "application/json"); err != nil {
		return err
	}
	if err := e.tell(ctx, true); err != nil {
		return err
	}
	if n := e.at.Total.Failed; n > 0 {
		e.run.Partial(fmt.Sprintf("%d of %d resources were not imported. The folder FAILURE of the output says which and why.", n, e.at.Total.Scanned))
	}
	return nil
}
