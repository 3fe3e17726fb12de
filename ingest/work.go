package ingest

import (
	"context"
	"errors"
	"time"

	"tarn/cloud"
	"tarn/export"
	"tarn/fault"
	"tarn/fhir/validate"
	"tarn/job"
	"tarn/store"
)

// ImportWork carries out import jobs for a job.Runner. It is a job.Canceller too: what a cancelled import has applied
// stays, and its logs and its manifest say what that is.
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
	checked, err := w.output(j).Check(ctx, w.o.Cloud)
	if err != nil {
		return err
	}
	if len(checked.Findings) > 0 {
		return &export.PreflightError{Job: "import", Findings: checked.Findings}
	}
	e, err := w.execution(ctx, rec, j, st)
	if err != nil {
		return err
	}
	e.run = run
	e.in, e.out = liveBucket{e.in, run}, liveBucket{e.out, run}
	e.profiles = func(ctx context.Context) (validate.Profiles, error) {
		if w.o.Profiles == nil {
			return nil, nil
		}
		return w.o.Profiles.Profiles(ctx, j.Datastore)
	}
	if e.files, err = planned(ctx, run, e.in, j, w.o.Limits); err != nil {
		return err
	}
	if e.at.Ended != "" { // it had failed, and whoever failed it could not say so any more
		return fault.Errorf(fault.Conflict, "ingest", "%s", e.at.Ended)
	}
	e.scribe = newScribe(ctx)
	err = e.work(ctx)
	e.scribe.stop()
	if err != nil && !errors.Is(err, job.ErrTermLost) { // a stopped or failed job shows how far it came
		_ = e.tell(context.WithoutCancel(ctx), true)
	}
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
	limits   Limits
	files    *inputs
	at       place
	scribe   *scribe
	told     time.Time // when the ledger was last told
	shy      shyness
}

// execution takes the role and finds the place.
func (s *Service) execution(ctx context.Context, rec job.Record, j Job, st *store.Store) (*execution, error) {
	id := rec.ID
	role, err := s.output(j).Assume(ctx, s.o.Cloud, "import-"+id)
	if err != nil {
		return nil, err
	}
	e := &execution{job: j, id: id, store: st, limits: s.o.Limits, in: role.Bucket(j.InputBucket), out: role.Bucket(j.OutputBucket),
		folder: j.OutputPrefix + Folder(j.Datastore, id)}
	e.at, err = readPlace(ctx, st, id)
	return e, err
}

// work does file after file, and then the manifest. Logs are written beside.
func (e *execution) work(ctx context.Context) error {
	if err := e.tell(ctx, true); err != nil {
		return err
	}
	for e.at.File < e.files.count {
		if err := e.settle(ctx, false); err != nil {
			return err
		}
		f, err := e.files.at(e.at.File)
		if err != nil {
			return err
		}
		if err := e.file(ctx, f); err != nil {
			return err
		}
	}
	if err := e.settle(ctx, true); err != nil {
		return err
	}
	return e.finish(ctx)
}

// file reads what is left of a file and applies it.
func (e *execution) file(ctx context.Context, f input) error {
	n := e.at.File
	if e.at.Offset < f.Size || packingOf(f.Key) != plain {
		if err := e.read(ctx, f); err != nil {
			return err
		}
	}
	if e.at.File == n { // else the last line has ended it
		var err error
		if e.at, err = e.at.move(ctx, e.store, e.id, e.at.nextFile(), nil); err != nil {
			return err
		}
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
	most := unpackLimit{e.limits.FileBytes, "one file"}
	if left := e.limits.JobBytes - (e.at.Total.Bytes - e.at.Offset); left < most.bytes {
		most = unpackLimit{left, "the files of one import together"}
	}
	r, err := open(ctx, e.in, e.job.InputBucket, f, e.at.Offset, most, e.run)
	if err != nil {
		return notRead(err)
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
			return notRead(b.err)
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
			p.FilesTotal, p.SourceBytes = int64(e.files.count), e.files.bytes
			if !e.files.packed {
				p.BytesTotal = e.files.bytes
			}
		})
	}
	return nil
}
