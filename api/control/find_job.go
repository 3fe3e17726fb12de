package control

import (
	"tarn/fault"
	"tarn/job"
)

// findJob is the job of an action's DatastoreId and JobId, if it is of the kind.
func (f *Face) findJob(r *request, k job.Kind) (job.Record, error) {
	datastore, id := r.in.text("DatastoreId"), r.in.text("JobId")
	if err := f.authorize(r, datastore); err != nil {
		return job.Record{}, err
	}
	if _, err := f.Datastores.Describe(r, datastore); err != nil {
		return job.Record{}, err
	}
	rec, err := f.Jobs.Describe(r, datastore, id)
	if err == nil && rec.Kind != k {
		err = fault.Errorf(fault.NotFound, "control", "There is no %s job %s in data store %s.", k, id, datastore)
	}
	return rec, err
}

// listJobs is a page of the jobs of a kind, newest first, 100 where MaxResults is absent, and its NextToken.
func (f *Face) listJobs(r *request, k job.Kind) ([]job.Record, string, error) {
	filter := job.ListFilter{Datastore: r.in.text("DatastoreId"), Kind: k, Name: r.in.text("JobName"), State: job.State(r.in.text("JobStatus")),
		SubmittedBefore: r.in.when("SubmittedBefore"), SubmittedAfter: r.in.when("SubmittedAfter"), Limit: r.in.number("MaxResults")}
	if err := f.authorize(r, filter.Datastore); err != nil {
		return nil, "", err
	}
	if _, err := f.Datastores.Describe(r, filter.Datastore); err != nil {
		return nil, "", err
	}
	list := []string{r.route.action, filter.Datastore, filter.Name, string(filter.State), stamp(filter.SubmittedBefore), stamp(filter.SubmittedAfter)}
	var err error
	if filter.Cursor, err = f.cursor(r.in.text("NextToken"), list...); err != nil {
		return nil, "", err
	}
	page, err := f.Jobs.List(r, filter)
	if err != nil {
		return nil, "", err
	}
	return page.Jobs, f.nextToken(page.Next, list...), nil
}
