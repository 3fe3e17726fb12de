package main

import (
	"context"
	"strings"
	"time"

	"tarn/api/client"
)

// exportFlags say what is exported, and where to.
type exportFlags struct {
	dataStore
	placeFlags
	Prefix  string `help:"Folder in the bucket below which the job's own folder goes." placeholder:"P" group:"Where to"`
	JobName string `help:"Name of the job." placeholder:"J"`
}

// request finds the data store and the place, and is the request to start with.
func (f *exportFlags) request(ctx context.Context, s *screen, api *client.Client) (in client.ExportRequest, d client.Datastore, err error) {
	if d, err = f.find(ctx, api); err != nil {
		return in, d, err
	}
	to, err := f.prepare(ctx, api, "export", d)
	if err != nil {
		return in, d, err
	}
	if len(to.made) > 0 {
		s.note("Made: %s.", strings.Join(to.made, ", "))
	}
	return exportRequest(d.DatastoreId, to, f.Prefix, f.JobName), d, nil
}

func exportRequest(datastore string, to place, prefix, name string) client.ExportRequest {
	in := client.ExportRequest{DatastoreId: datastore, DataAccessRoleArn: to.Role, JobName: name}
	in.OutputDataConfig.S3Configuration = client.S3Configuration{S3Uri: "s3://" + to.Bucket + "/" + strings.Trim(prefix, "/"), KmsKeyId: to.Key}
	return in
}

type exportCmd struct {
	exportFlags
	Wait   bool `help:"Wait until the export has ended." short:"w"`
	Verify bool `help:"Wait, then prove the export against its manifest and the data store."`
	remote
}

// Run starts an export.
func (c *exportCmd) Run(ctx context.Context, s *screen) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	in, d, err := c.request(ctx, s, api)
	if err != nil {
		return err
	}
	findings, err := api.Preflight(ctx, in)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		if c.JSON {
			if err := s.json(map[string]any{"findings": findings}); err != nil {
				return err
			}
		}
		s.findings(s.err, findings)
		return errReported
	}
	start := time.Now()
	job, err := api.StartExport(ctx, in)
	if err != nil {
		return err
	}
	if !c.Wait && !c.Verify {
		return c.started(ctx, s, api, d, job)
	}
	p, err := waitExport(ctx, s, api, d.DatastoreId, job, c.goesOn(d.DatastoreId, job))
	if err != nil {
		return err
	}
	if _, ok := client.Done(p.JobStatus); !ok {
		return c.ended(s, p)
	}
	if c.Verify {
		if !c.JSON {
			c.summary(s, p, time.Since(start))
		}
		return (&verifyCmd{remote: c.remote}).verify(ctx, s, api, exportOf(p))
	}
	if c.JSON {
		return s.json(p)
	}
	c.summary(s, p, time.Since(start))
	return nil
}

// started tells of an export that nobody waits for.
func (c *exportCmd) started(ctx context.Context, s *screen, api *client.Client, d client.Datastore, job string) error {
	p, err := api.ExportProgress(ctx, d.DatastoreId, job)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(p)
	}
	s.say("Export %s of %s is %s.", job, d.DatastoreName, p.JobStatus)
	s.say("  files    %s", p.Folder)
	s.say("  watch    tarn jobs watch %s --datastore %s%s", job, d.DatastoreId, c.flags())
	s.say("  verify   tarn verify %s --datastore %s%s", job, d.DatastoreId, c.flags())
	return nil
}

func (c *exportCmd) summary(s *screen, p client.ExportProgress, elapsed time.Duration) {
	s.say("Exported %s in %s, %s, in %s.", plural(p.Progress.Resources, "resource"), plural(p.Progress.Files, "file"), size(p.Progress.Bytes), took(elapsed))
	s.say("  %s", p.Folder)
}

// ended tells of an export that ended otherwise than hoped for.
func (c *exportCmd) ended(s *screen, p client.ExportProgress) error {
	if c.JSON {
		if err := s.json(p); err != nil {
			return err
		}
	}
	s.note("Export %s is %s. %s", p.JobID, p.JobStatus, p.Message)
	return errReported
}
