package main

import (
	"context"
	"strings"
	"time"

	"tarn/api/client"
	"tarn/fault"
)

type importCmd struct {
	Files []string `arg:"" name:"path" help:".ndjson or .ndjson.gz files, or folders with such files."`
	dataStore
	placeFlags
	Validation string `help:"strict, structure-only or minimal." enum:"strict,structure-only,minimal" default:"strict" placeholder:"LEVEL"`
	JobName    string `help:"Name of the job." placeholder:"J"`
	remote
}

// Help is the long help.
func (*importCmd) Help() string {
	return `The files are uploaded into the bucket, and a job (StartFHIRImportJob) brings them into the data store. With --create,
what is not there is made: the data store, and a bucket, a key and a role under names that begin with tarn-import.
The exit code is 1 if some resource was not imported; the first failures are printed with file, line and reason.`
}

// Run uploads the files and imports them.
func (c *importCmd) Run(ctx context.Context, s *screen) error {
	files, err := gather(c.Files)
	if err != nil {
		return err
	}
	api, err := c.connect()
	if err != nil {
		return err
	}
	d, err := c.find(ctx, api)
	if fault.Is(err, fault.NotFound) && c.Create && c.Datastore != "" && !isID(c.Datastore) {
		if d, err = createDatastore(ctx, s, api, c.Datastore, false); err == nil {
			s.note("Made: data store %s (%s).", d.DatastoreName, d.DatastoreId)
		}
	}
	if err != nil {
		return err
	}
	at, err := c.prepare(ctx, api, "import", d)
	if err != nil {
		return err
	}
	if len(at.made) > 0 {
		s.note("Made: %s.", strings.Join(at.made, ", "))
	}
	start := time.Now()
	up, err := send(ctx, s, api, at.Bucket, uploadPrefix(start), files)
	if err != nil {
		return err
	}
	s.note("Uploaded %s, %s, to %s", plural(len(files), "file"), size(up.bytes), up.uri())
	job, err := api.StartImport(ctx, importRequest(d.DatastoreId, at, up.uri(), c.JobName, c.Validation))
	if err != nil {
		return err
	}
	j, err := waitImport(ctx, s, api, d.DatastoreId, job, c.goesOn(d.DatastoreId, job), up.lines)
	if err != nil {
		return err
	}
	failures, err := importFailures(ctx, api, j, files)
	if err != nil {
		return err
	}
	return c.outcome(s, d, j, failures, time.Since(start))
}

func importRequest(datastore string, at place, uri, name, validation string) client.ImportRequest {
	in := client.ImportRequest{DatastoreId: datastore, DataAccessRoleArn: at.Role, JobName: name, ValidationLevel: validation}
	in.InputDataConfig.S3Uri = uri
	in.JobOutputDataConfig.S3Configuration = client.S3Configuration{S3Uri: "s3://" + at.Bucket + "/imports/", KmsKeyId: at.Key}
	return in
}

// outcome tells what became of the import.
func (c *importCmd) outcome(s *screen, d client.Datastore, j client.ImportJob, failures []failure, elapsed time.Duration) error {
	report := j.JobProgressReport
	failed := report.TotalNumberOfResourcesWithCustomerError
	_, ok := client.Done(j.JobStatus)
	if c.JSON {
		if failures == nil {
			failures = []failure{}
		}
		if err := s.json(map[string]any{"job": j, "failures": failures}); err != nil {
			return err
		}
	} else if ok {
		s.say("Imported %s of %s into %s in %s.", comma(report.TotalNumberOfResourcesImported), plural(report.TotalNumberOfResourcesScanned, "resource"), d.DatastoreName, took(elapsed))
	}
	if !ok {
		s.note("Import %s is %s. %s", j.JobId, j.JobStatus, j.Message)
		return errReported
	}
	if failed == 0 {
		return nil
	}
	if !c.JSON {
		s.say("\n%s refused:", plural(failed, "resource"))
		for _, f := range failures {
			s.say("  %s:%d: %s", f.File, f.Line, f.Reason)
		}
		if more := failed - int64(len(failures)); more > 0 {
			s.say("  ... and %s more", comma(more))
		}
		s.say("All of them: %sFAILURE/", j.JobOutputDataConfig.S3Configuration.S3Uri)
	}
	return errReported
}
