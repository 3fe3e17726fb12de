package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tarn/cloud"
	"tarn/export"
	"tarn/fault"
	"tarn/job"
	"tarn/store"
)

// ImportWork carries out import jobs for a job.Runner.
func (s *Service) ImportWork() job.Work { return importWork{s} }

type importWork struct{ *Service }

// progressEvery is how often the ledger is told of progress, at most.
const progressEvery = time.Second

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
	findings, err := w.check(ctx, j)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return &export.PreflightError{Job: "import", Findings: findings}
	}
	role, err := w.output(j).Assume(ctx, w.o.Cloud, "import-"+rec.ID)
	if err != nil {
		return err
	}
	e := &execution{run: run, job: j, id: rec.ID, store: st, in: role.Bucket(j.InputBucket), out: role.Bucket(j.OutputBucket),
		folder: j.OutputPrefix + Folder(j.Datastore, rec.ID), told: time.Now()}
	if e.files, err = plan(ctx, run, e.in, j.InputPrefix); err != nil {
		return err
	}
	if e.at, err = readPlace(ctx, st, e.id); err != nil {
		return err
	}
	for e.at.File < len(e.files) {
		if err := e.file(ctx, e.files[e.at.File]); err != nil {
			return err
		}
	}
	return e.finish(ctx)
}

// execution is one run of one import.
type execution struct {
	run     *job.Run
	job     Job
	id      string
	store   *store.Store
	in, out cloud.Bucket
	folder  string
	files   []input
	at      place
	told    time.Time // when the ledger was last told
}

// file reads what is left of a file, applies it, and writes its failure log.
func (e *execution) file(ctx context.Context, f input) error {
	if e.at.Offset < f.Size {
		if err := e.read(ctx, f); err != nil {
			return err
		}
	}
	if err := e.failures(ctx, f); err != nil {
		return err
	}
	next := e.at
	next.File, next.Line, next.Offset, next.Pieces, next.Failed = e.at.File+1, 0, 0, 0, 0
	next.Total.Files++
	if e.at.Failed > 0 {
		next.Total.FilesFailed++
	}
	riders := []store.Rider{next.rider(e.id)}
	for n := range e.at.Pieces {
		riders = append(riders, store.Rider{Key: pieceKey(e.id, e.at.File, n)})
	}
	if _, err := e.store.Commit(ctx, store.Transaction{Riders: riders, Bulk: true}); err != nil {
		return err
	}
	e.at = next
	return e.tell(ctx, true)
}

func (e *execution) read(ctx context.Context, f input) (err error) {
	r, err := e.in.Get(ctx, f.Key, e.at.Offset, -1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := make(chan *batch, piecesHeld)
	go pieces(ctx, r, e.at, ready)
	defer func() {
		cancel()
		for range ready { // the reader has let go of r when ready is closed
		}
	}()
	alone := func() bool { return !e.store.Contended() }
	var left *batch
	for {
		b, ok := left, true
		if left = nil; b == nil {
			if b, ok = <-ready; !ok {
				return context.Cause(ctx)
			}
		}
		left = gather(b, ready, alone)
		if b.scanned > 0 {
			if e.at, err = commit(ctx, e.store, e.id, e.at, b); err != nil {
				return err
			}
		}
		if b.err != nil {
			return b.err
		}
		if err := e.tell(ctx, false); err != nil {
			return err
		}
	}
}

// tell brings the ledger's progress up to date, now and then or always.
func (e *execution) tell(ctx context.Context, always bool) error {
	if now := time.Now(); always || now.Sub(e.told) >= progressEvery {
		e.told = now
		return e.run.SetProgress(ctx, e.at.progress)
	}
	return nil
}

// failures writes the failure log of a file that has been read to its end.
func (e *execution) failures(ctx context.Context, f input) error {
	if e.at.Pieces == 0 {
		return nil
	}
	var log bytes.Buffer
	for n := range e.at.Pieces {
		piece, err := e.store.Rider(ctx, pieceKey(e.id, e.at.File, n))
		if err != nil {
			return err
		}
		if piece == nil {
			return fault.Errorf(fault.Internal, "ingest", "piece %d of the failure log of file %d is missing", n, e.at.File)
		}
		log.Write(piece)
	}
	name := e.folder + "FAILURE/" + strings.TrimPrefix(f.Key, e.job.InputPrefix)
	return e.put(ctx, name, log.Bytes(), "application/x-ndjson")
}

func (e *execution) put(ctx context.Context, key string, b []byte, media string) error {
	return e.out.Put(ctx, key, bytes.NewReader(b), int64(len(b)), cloud.PutOptions{KMSKeyID: e.job.KMSKeyID, ContentType: media})
}

// finish writes the manifest. The place stays, so that a finish that is done again finds it.
func (e *execution) finish(ctx context.Context) error {
	b, err := newManifest(e.job, e.id, e.files, e.at).marshal()
	if err != nil {
		return fault.Wrap("ingest.finish", err)
	}
	if err := e.put(ctx, e.folder+"manifest.json", b, "application/json"); err != nil {
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
