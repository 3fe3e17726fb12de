package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tarn/api/client"
	"tarn/fault"
)

type jobsCmd struct {
	List     jobsListCmd     `cmd:"" default:"withargs" help:"List the newest exports and imports of a data store."`
	Describe jobsDescribeCmd `cmd:"" help:"Everything about one job."`
	Cancel   jobsCancelCmd   `cmd:"" help:"End an export or an import that waits or runs."`
	Watch    jobsWatchCmd    `cmd:"" help:"Show a job's progress until it has ended (default: the newest that has not)."`
}

// jobRow is an export or an import in a list.
type jobRow struct {
	Kind   string     `json:"kind"` // export, import
	ID     string     `json:"jobId"`
	Name   string     `json:"jobName,omitempty"`
	Status string     `json:"jobStatus"`
	Submit time.Time  `json:"submitTime"`
	End    *time.Time `json:"endTime,omitempty"`
	S3Uri  string     `json:"s3Uri"`
	About  string     `json:"message,omitempty"`
}

// maxJobs is how many jobs of each kind a list shows, the most that one answer holds.
const maxJobs = 500

// jobsOf is the newest jobs of a data store, newest first.
func jobsOf(ctx context.Context, api *client.Client, datastore string, limit int) ([]jobRow, error) {
	exports, err := api.ListExports(ctx, datastore, limit)
	if err != nil {
		return nil, err
	}
	imports, err := api.ListImports(ctx, datastore, limit)
	if err != nil {
		return nil, err
	}
	rows := []jobRow{}
	for _, j := range exports {
		rows = append(rows, jobRow{"export", j.JobId, j.JobName, j.JobStatus, j.SubmitTime.Time(), ended(j.EndTime), j.OutputDataConfig.S3Configuration.S3Uri, j.Message})
	}
	for _, j := range imports {
		rows = append(rows, jobRow{"import", j.JobId, j.JobName, j.JobStatus, j.SubmitTime.Time(), ended(j.EndTime), j.InputDataConfig.S3Uri, j.Message})
	}
	slices.SortStableFunc(rows, func(a, b jobRow) int { return b.Submit.Compare(a.Submit) })
	return rows[:min(limit, len(rows))], nil
}

func ended(at client.Epoch) *time.Time {
	if at == 0 {
		return nil
	}
	t := at.Time()
	return &t
}

// lasted is how long a job took, or has waited and run so far.
func (r jobRow) lasted(now time.Time) string {
	if r.End != nil {
		now = *r.End
	}
	return took(now.Sub(r.Submit))
}

type jobsListCmd struct {
	Limit int `help:"At most so many (1 to 500)." default:"20" placeholder:"N"`
	dataStore
	remote
}

// Run lists jobs.
func (c *jobsListCmd) Run(ctx context.Context, s *screen) error {
	if c.Limit < 1 || c.Limit > maxJobs {
		return usagef("--limit 20", "A list shows 1 to %d jobs, not %d.", maxJobs, c.Limit)
	}
	api, err := c.connect()
	if err != nil {
		return err
	}
	d, err := c.find(ctx, api)
	if err != nil {
		return err
	}
	rows, err := jobsOf(ctx, api, d.DatastoreId, c.Limit)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(rows)
	}
	if len(rows) == 0 {
		s.note("The data store %s has no jobs yet. Start one with: tarn export --datastore %s --create%s", d.DatastoreName, d.DatastoreId, c.flags())
		return nil
	}
	var cells [][]string
	for _, r := range rows {
		cells = append(cells, []string{r.Kind, r.ID, r.Name, r.Status, clock(r.Submit), r.lasted(time.Now())})
	}
	s.table([]string{"kind", "job", "name", "status", "submitted (UTC)", "took"}, cells)
	return nil
}

type jobsCancelCmd struct {
	Job string `arg:"" help:"The job's id."`
	dataStore
	remote
}

// Help is the long help.
func (*jobsCancelCmd) Help() string {
	return `What a cancelled import has brought into the data store stays; its logs and its manifest say what that is.`
}

// Run cancels an export or an import. Who may cancel those of one kind only need not know which it is.
func (c *jobsCancelCmd) Run(ctx context.Context, s *screen) error {
	api, d, err := findJob(ctx, &c.remote, &c.dataStore, c.Job)
	if err != nil {
		return err
	}
	kind := "export"
	status, err := api.CancelExport(ctx, d.DatastoreId, c.Job)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) {
		var other error
		if status, other = api.CancelImport(ctx, d.DatastoreId, c.Job); !fault.Is(other, fault.NotFound) && !(fault.Is(err, fault.Denied) && fault.Is(other, fault.Denied)) {
			kind, err = "import", other
		}
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(map[string]string{"jobId": c.Job, "jobStatus": status})
	}
	s.say("%s %s is %s", kind, c.Job, status)
	return nil
}

type jobsDescribeCmd struct {
	Job string `arg:"" help:"The job's id."`
	dataStore
	remote
}

// Run describes one job.
func (c *jobsDescribeCmd) Run(ctx context.Context, s *screen) error {
	api, d, err := findJob(ctx, &c.remote, &c.dataStore, c.Job)
	if err != nil {
		return err
	}
	p, err := api.ExportProgress(ctx, d.DatastoreId, c.Job)
	if err == nil {
		if c.JSON {
			return s.json(p)
		}
		return c.export(s, p)
	}
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	j, err := api.DescribeImport(ctx, d.DatastoreId, c.Job)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(j)
	}
	return c.imported(s, j)
}

func (c *jobsDescribeCmd) export(s *screen, p client.ExportProgress) error {
	pace := ""
	if p.Pace != nil {
		pace = fmt.Sprintf("%s resources a second, about %s left", comma(p.Pace.Resources), took(p.Pace.Left()))
	}
	folder := p.Folder
	if strings.HasPrefix(folder, "s3://"+client.OwnBucket+"/") {
		folder = "kept by the service; its manifest: tarn fhir GET export/" + p.JobID
	}
	s.fields([][2]string{{"export", p.JobID}, {"name", p.JobName}, {"status", p.JobStatus}, {"message", p.Message}, {"as of", p.TransactionTime},
		{"resources", comma(p.Progress.Resources) + " of " + comma(p.Progress.ResourcesTotal)}, {"files", comma(p.Progress.Files)},
		{"bytes", size(p.Progress.Bytes)}, {"pace", pace}, {"folder", folder}})
	return nil
}

func (c *jobsDescribeCmd) imported(s *screen, j client.ImportJob) error {
	r := j.JobProgressReport
	s.fields([][2]string{{"import", j.JobId}, {"name", j.JobName}, {"status", j.JobStatus}, {"message", j.Message}, {"submitted", clock(j.SubmitTime.Time())},
		{"ended", clock(j.EndTime.Time())}, {"files", comma(r.TotalNumberOfImportedFiles) + " of " + comma(r.TotalNumberOfScannedFiles)},
		{"resources", comma(r.TotalNumberOfResourcesImported) + " imported, " + comma(r.TotalNumberOfResourcesWithCustomerError) + " refused"},
		{"input", j.InputDataConfig.S3Uri}, {"output", j.JobOutputDataConfig.S3Configuration.S3Uri}})
	return nil
}

// fields prints names and values; those without a value are left out.
func (s *screen) fields(all [][2]string) {
	for _, f := range all {
		if f[1] != "" {
			s.say("%-10s %s", f[0], f[1])
		}
	}
}

type jobsWatchCmd struct {
	Job string `arg:"" optional:"" help:"The job's id."`
	dataStore
	remote
}

// Run watches a job. It fails if the job does.
func (c *jobsWatchCmd) Run(ctx context.Context, s *screen) error {
	api, d, err := findJob(ctx, &c.remote, &c.dataStore, c.Job)
	if err != nil {
		return err
	}
	rows, err := jobsOf(ctx, api, d.DatastoreId, maxJobs)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rows, func(r jobRow) bool {
		done, _ := client.Done(r.Status)
		return r.ID == c.Job || c.Job == "" && !done
	})
	switch {
	case i < 0 && c.Job == "":
		s.note("No job of %s is under way.", d.DatastoreName)
		if c.JSON {
			return s.json(nil)
		}
		return nil
	case i < 0:
		return fault.WithHint(fault.Errorf(fault.NotFound, "", "There is no job %s among the newest of data store %s.", c.Job, d.DatastoreName), "tarn jobs list --datastore %s%s", d.DatastoreId, c.flags())
	}
	return c.watch(ctx, s, api, d, rows[i])
}

func (c *jobsWatchCmd) watch(ctx context.Context, s *screen, api *client.Client, d client.Datastore, row jobRow) error {
	var status, message, result string
	var document any
	if row.Kind == "export" {
		p, err := waitExport(ctx, s, api, d.DatastoreId, row.ID, c.goesOn(d.DatastoreId, row.ID))
		if err != nil {
			return err
		}
		status, message, document = p.JobStatus, p.Message, p
		result = plural(p.Progress.Resources, "resource") + " in " + p.Folder
	} else {
		j, err := waitImport(ctx, s, api, d.DatastoreId, row.ID, c.goesOn(d.DatastoreId, row.ID), 0)
		if err != nil {
			return err
		}
		status, message, document = j.JobStatus, j.Message, j
		result = plural(j.JobProgressReport.TotalNumberOfResourcesImported, "resource") + " imported"
	}
	if c.JSON {
		if err := s.json(document); err != nil {
			return err
		}
	} else {
		s.say("%s", strings.TrimSpace(fmt.Sprintf("%s %s is %s: %s. %s", row.Kind, row.ID, status, result, message)))
	}
	if status != "COMPLETED" {
		return errReported
	}
	return nil
}

// findJob connects, checks the form of a job's id, and finds the data store.
func findJob(ctx context.Context, r *remote, store *dataStore, job string) (*client.Client, client.Datastore, error) {
	if job != "" && !isID(job) {
		return nil, client.Datastore{}, usagef("tarn jobs list shows the ids.", "%q is no id of a job: it has 32 digits of 0-9 and a-f.", job)
	}
	api, err := r.connect()
	if err != nil {
		return nil, client.Datastore{}, err
	}
	d, err := store.findFor(ctx, api, job)
	return api, d, err
}
