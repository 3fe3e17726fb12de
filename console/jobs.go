package console

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"tarn/api/client"
	"tarn/fault"
)

// maxJobs is how many of the newest jobs a list shows of each kind and data store.
const maxJobs = 100

// jobRow is a job of either kind in a list.
type jobRow struct {
	Kind                     string // export or import
	ID, Name, Status         string
	Datastore, DatastoreName string
	Submitted, Ended         time.Time
	Took                     time.Duration // until now where it has not ended
	Output, Role, Message    string
}

func (j jobRow) running() bool {
	done, _ := client.Done(j.Status)
	return !done
}

// Link is the address of the job's page.
func (j jobRow) Link() string { return jobPath(j.Datastore, j.Kind, j.ID) }

func jobPath(datastore, kind, id string) string {
	return "/console/datastores/" + datastore + "/" + kind + "/" + id
}

func took(submitted, ended, now time.Time) time.Duration {
	if ended.IsZero() {
		ended = now
	}
	return max(0, ended.Sub(submitted))
}

func rowOfExport(j client.ExportJob) jobRow {
	return jobRow{Kind: "export", ID: j.JobId, Name: j.JobName, Status: j.JobStatus, Datastore: j.DatastoreId, Submitted: j.SubmitTime.Time(),
		Ended: j.EndTime.Time(), Output: j.OutputDataConfig.S3Configuration.S3Uri, Role: j.DataAccessRoleArn, Message: j.Message}
}

func rowOfImport(j client.ImportJob) jobRow {
	return jobRow{Kind: "import", ID: j.JobId, Name: j.JobName, Status: j.JobStatus, Datastore: j.DatastoreId, Submitted: j.SubmitTime.Time(),
		Ended: j.EndTime.Time(), Output: j.JobOutputDataConfig.S3Configuration.S3Uri, Role: j.DataAccessRoleArn, Message: j.Message}
}

// atOnce is how many calls of the API one page makes at the same time.
const atOnce = 8

// jobsOf is the newest jobs of the data stores, newest first, at most limit. What could not be asked is in the error,
// and the list is of the rest.
func jobsOf(ctx context.Context, api *client.Client, of []client.Datastore, limit int) ([]jobRow, error) {
	var (
		mu   sync.Mutex
		rows []jobRow
		errs []error
		wait sync.WaitGroup
		free = make(chan struct{}, atOnce)
	)
	add := func(d client.Datastore, found []jobRow, err error) {
		mu.Lock()
		defer mu.Unlock()
		for _, j := range found {
			j.DatastoreName = label(d)
			rows = append(rows, j)
		}
		if err != nil && !fault.Is(err, fault.NotFound) { // deleted in between
			errs = append(errs, err)
		}
	}
	for _, d := range of {
		wait.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			exports, err := api.ListExports(ctx, d.DatastoreId, limit)
			add(d, each(exports, rowOfExport), err)
			imports, err := api.ListImports(ctx, d.DatastoreId, limit)
			add(d, each(imports, rowOfImport), err)
		})
	}
	wait.Wait()
	slices.SortFunc(rows, func(a, b jobRow) int {
		if by := b.Submitted.Compare(a.Submitted); by != 0 {
			return by
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return rows[:min(limit, len(rows))], errors.Join(errs...)
}

func each[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = f(a)
	}
	return out
}

type jobsData struct {
	Jobs       []jobRow
	Datastores []client.Datastore // to choose from
	Chosen     string             // a data store's id, or empty for all
	Running    int
	Updated    time.Time
	Problem    *Problem
}

// listJobs shows the jobs of one data store or of all.
func (c *Console) listJobs(v *visit) error {
	ctx := v.r.Context()
	all, err := v.s.api.ListDatastores(ctx)
	if err != nil {
		return err
	}
	d := jobsData{Chosen: v.r.URL.Query().Get("datastore"), Updated: c.o.Now()}
	var of []client.Datastore
	for _, one := range all {
		if one.DatastoreStatus == deleted {
			continue
		}
		d.Datastores = append(d.Datastores, one)
		if d.Chosen == "" || d.Chosen == one.DatastoreId {
			of = append(of, one)
		}
	}
	d.Jobs, err = jobsOf(ctx, v.s.api, of, maxJobs)
	if sessionOver(err) {
		return err
	}
	if err != nil {
		p := problemOf(err)
		d.Problem = &p
	}
	for i, j := range d.Jobs {
		d.Jobs[i].Took = took(j.Submitted, j.Ended, d.Updated)
		if j.running() {
			d.Running++
		}
	}
	return v.page("jobs", "jobs", "Jobs", d)
}
