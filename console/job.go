package console

import (
	"time"

	"tarn/api/client"
)

type exportJobData struct {
	Job       jobRow
	KeyARN    string
	Bucket    string
	Folder    string // prefix in the bucket, ending in a slash
	Done, OK  bool
	Started   bool // just now: say so
	Progress  *client.ExportProgress
	Output    *output // nil until the job has ended well
	Updated   time.Time
	NoListing *Problem // why there is no list of files
	Own       bool     // the files are kept by the service
}

// cancelExport ends an export and shows it.
func (c *Console) cancelExport(v *visit) error {
	datastore, id := v.r.PathValue("id"), v.r.PathValue("job")
	if _, err := v.s.api.CancelExport(v.r.Context(), datastore, id); err != nil {
		if sessionOver(err) {
			return err
		}
		return v.fail(statusOf(err), problemOf(err))
	}
	return v.redirect("/console/datastores/" + datastore + "/export/" + id)
}

// cancelImport ends an import and shows it.
func (c *Console) cancelImport(v *visit) error {
	datastore, id := v.r.PathValue("id"), v.r.PathValue("job")
	if _, err := v.s.api.CancelImport(v.r.Context(), datastore, id); err != nil {
		if sessionOver(err) {
			return err
		}
		return v.fail(statusOf(err), problemOf(err))
	}
	return v.redirect(jobPath(datastore, "import", id))
}

// exportJobPage shows an export job: its properties, how far it is, and its files.
func (c *Console) exportJobPage(v *visit) error {
	ctx := v.r.Context()
	datastore, id := v.r.PathValue("id"), v.r.PathValue("job")
	j, err := v.s.api.DescribeExport(ctx, datastore, id)
	if err != nil {
		return err
	}
	d := exportJobData{Job: rowOfExport(j), KeyARN: j.OutputDataConfig.S3Configuration.KmsKeyId, Updated: c.o.Now(),
		Started: v.r.URL.Query().Get("started") != ""}
	d.Job.Took = took(d.Job.Submitted, d.Job.Ended, d.Updated)
	d.Job.DatastoreName = datastore
	if of, err := v.s.api.DescribeDatastore(ctx, datastore); err == nil {
		d.Job.DatastoreName = label(of)
	}
	d.Done, d.OK = client.Done(j.JobStatus)
	d.Bucket, d.Folder = splitURI(d.Job.Output)
	if p, err := v.s.api.ExportProgress(ctx, datastore, id); err == nil {
		d.Progress = &p // whoever may not ask goes without
	}
	d.Own = d.Bucket == client.OwnBucket
	if d.Done && d.Bucket != "" && !d.Own {
		out, err := outputOf(ctx, v.s.api, d.Bucket, d.Folder)
		if err != nil {
			p := problemOf(err)
			d.NoListing = &p
		}
		d.Output = out
	}
	return v.page("export_job", "jobs", "Export job "+short(id), d)
}

type importJobData struct {
	Job     jobRow
	Input   string
	KeyARN  string
	Level   string
	Report  client.ProgressReport
	Done    bool
	OK      bool
	Updated time.Time
}

// importJobPage shows an import job and its report.
func (c *Console) importJobPage(v *visit) error {
	ctx := v.r.Context()
	datastore, id := v.r.PathValue("id"), v.r.PathValue("job")
	j, err := v.s.api.DescribeImport(ctx, datastore, id)
	if err != nil {
		return err
	}
	d := importJobData{Job: rowOfImport(j), Input: j.InputDataConfig.S3Uri, KeyARN: j.JobOutputDataConfig.S3Configuration.KmsKeyId,
		Level: j.ValidationLevel, Report: j.JobProgressReport, Updated: c.o.Now()}
	d.Job.Took = took(d.Job.Submitted, d.Job.Ended, d.Updated)
	d.Job.DatastoreName = datastore
	if of, err := v.s.api.DescribeDatastore(ctx, datastore); err == nil {
		d.Job.DatastoreName = label(of)
	}
	d.Done, d.OK = client.Done(j.JobStatus)
	return v.page("import_job", "jobs", "Import job "+short(id), d)
}
