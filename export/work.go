package export

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tarn/cloud"
	"tarn/fault"
	"tarn/job"
	"tarn/store"
)

// Media types of what an export writes.
const (
	mediaNDJSON = "application/fhir+ndjson"
	mediaJSON   = "application/json"
)

// Work carries out export jobs for a job.Runner.
func (s *Service) Work() job.Work { return work{s} }

type work struct{ *Service }

// Run implements job.Work: what is planned and not yet checkpointed is written, last of all the manifest.
func (w work) Run(ctx context.Context, run *job.Run) error {
	rec := run.Record()
	j, err := parseJob(rec.Params)
	if err != nil {
		return err
	}
	data, err := w.datastores.Store(ctx, j.Datastore)
	if err != nil {
		return err
	}
	bucket, err := w.open(ctx, j, rec.ID)
	if err != nil {
		return err
	}
	e := &execution{Service: w.Service, run: run, job: j, store: data, bucket: bucket, folder: j.folderOf(rec.ID), number: jobNumber(rec.ID)}
	defer e.segments.drain()
	if err := e.begin(ctx); err != nil {
		return err
	}
	if err := e.parts(ctx); err != nil {
		return err
	}
	return e.finish(ctx)
}

// execution is one run of one job.
type execution struct {
	*Service
	run    *job.Run
	job    Job
	store  *store.Store
	bucket putter
	folder string
	number uint64
	plan   []Part

	writing atomic.Int32 // parts that hold a slot

	mu    sync.Mutex
	files [][]File // of each part of the plan; nil while it is not done
}

// begin takes up the plan, making it where there is none yet, and what has been done of it.
func (e *execution) begin(ctx context.Context) error {
	if !e.run.Planned() {
		if err := e.makePlan(ctx); err != nil {
			return err
		}
	}
	var err error
	if e.plan, err = storedPlan(ctx, e.run); err != nil {
		return err
	}
	e.files = make([][]File, len(e.plan))
	for c, err := range e.run.Checkpoints(ctx) {
		if err != nil {
			return err
		}
		var k int
		if _, err := fmt.Sscanf(c.Key, partKey, &k); err != nil || k < 0 || k >= len(e.plan) {
			return fault.Errorf(fault.Internal, "export", "checkpoint %q belongs to no part", c.Key)
		}
		if e.files[k], err = filesOf(c); err != nil {
			return err
		}
	}
	return nil
}

// filesOf are the files of a part, as its checkpoint names them.
func filesOf(c job.Checkpoint) (files []File, err error) {
	if err := json.Unmarshal(c.Value, &files); err != nil {
		return nil, fault.Errorf(fault.Internal, "export", "checkpoint %q: %w", c.Key, err)
	}
	return files, nil
}

func storedPlan(ctx context.Context, run *job.Run) (plan []Part, err error) {
	for piece, err := range run.Plan(ctx) {
		if err != nil {
			return nil, err
		}
		if plan, err = decodePlan(plan, piece); err != nil {
			return nil, err
		}
	}
	return plan, nil
}

func (e *execution) makePlan(ctx context.Context) error {
	v, err := e.store.Pinned(ctx, e.job.TxID)
	if err != nil {
		return err
	}
	plan, err := planSelection(e.run.Living(ctx), v, &e.job, e.queries)
	if err = errors.Join(err, v.Close()); errors.Is(err, store.ErrIndexing) {
		return job.Awaiting(err)
	}
	if err != nil {
		return err
	}
	total := job.Progress{PartsTotal: int64(len(plan))}
	for _, p := range plan {
		if !p.Deleted {
			total.ResourcesTotal += int64(p.Count)
		}
	}
	return e.run.SetPlan(ctx, encodePlan(plan), total)
}

// partKey is the checkpoint key of part k of the plan, so that the keys sort as the parts do.
const partKey = "part-%08d"

// parts writes what is not done yet. Each worker takes the next part; who writes one holds a slot.
func (e *execution) parts(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	next := make(chan int)
	g.Go(func() error {
		defer close(next)
		for k := range e.plan {
			if e.files[k] != nil {
				continue
			}
			select {
			case next <- k:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	for range cap(e.slots) {
		g.Go(func() error {
			for k := range next {
				if err := e.part(ctx, k); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// slotLook is how often a job that waits for a slot says that it lives.
const slotLook = 100 * time.Millisecond

// slot waits until a part may be written. As long as all slots are other jobs', this one waits and is not stuck; where it
// holds one itself, what is done there tells.
func (e *execution) slot(ctx context.Context) (release func(), err error) {
	look := time.NewTicker(slotLook)
	defer look.Stop()
	for {
		select {
		case e.slots <- struct{}{}:
			e.writing.Add(1)
			return func() { e.writing.Add(-1); <-e.slots }, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-look.C:
			if e.writing.Load() == 0 {
				e.run.Alive()
			}
		}
	}
}

// part writes part k and then, when its files are durable, its checkpoint.
func (e *execution) part(ctx context.Context, k int) error {
	release, err := e.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	v, err := e.store.Pinned(ctx, e.job.TxID)
	if err != nil {
		return err
	}
	out := &upload{ctx: ctx, execution: e, buffer: buffer{pool: &e.segments}}
	files, _, err := writePart(ctx, v, e.job, e.number, e.plan[k], out, e.share)
	out.buffer.reset()
	if err = errors.Join(err, v.Close()); err != nil {
		return err
	}
	value, err := json.Marshal(files)
	if err != nil {
		return fault.Wrap("export.part", err)
	}
	done := job.Progress{PartsDone: 1, Files: int64(len(files))}
	if !e.plan[k].Deleted {
		done.Resources = int64(e.plan[k].Count)
	}
	for _, f := range files {
		done.Bytes += f.Bytes
	}
	if err := e.run.Checkpoint(ctx, fmt.Sprintf(partKey, k), value, done); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.files[k] = files
	return nil
}

// upload is the sink of a part: a file is gathered in memory, then put whole.
type upload struct {
	ctx context.Context
	*execution
	buffer buffer
}

func (u *upload) write(p []byte) error {
	u.run.Alive()
	u.buffer.write(p)
	return nil
}

func (u *upload) finish(f File, sum []byte) error {
	defer u.buffer.reset()
	return u.bucket.Put(u.ctx, u.folder+f.Name, u.run.Upload(&u.buffer), u.buffer.size,
		cloud.PutOptions{KMSKeyID: u.job.KeyARN, ContentType: mediaNDJSON, SHA256: sum})
}

// tellIgnored writes the file of OperationOutcomes about what was asked for and passed over.
func (e *execution) tellIgnored(ctx context.Context) ([]File, error) {
	body, f := ignoredFile(e.job, e.number)
	if body == nil {
		return nil, nil
	}
	sum := sha256.Sum256(body)
	return []File{f}, e.bucket.Put(ctx, e.folder+f.Name, bytes.NewReader(body), int64(len(body)),
		cloud.PutOptions{KMSKeyID: e.job.KeyARN, ContentType: mediaNDJSON, SHA256: sum[:]})
}

// finish writes the manifest.
func (e *execution) finish(ctx context.Context) error {
	var files []File
	for _, f := range e.files {
		files = append(files, f...)
	}
	told, err := e.tellIgnored(ctx)
	if err != nil {
		return err
	}
	files = append(files, told...)
	b, err := newManifest(e.run.Record().ID, e.job, files).marshal()
	if err != nil {
		return fault.Wrap("export.finish", err)
	}
	sum := sha256.Sum256(b)
	return e.bucket.Put(ctx, e.folder+ManifestName, bytes.NewReader(b), int64(len(b)),
		cloud.PutOptions{KMSKeyID: e.job.KeyARN, ContentType: mediaJSON, SHA256: sum[:]})
}
