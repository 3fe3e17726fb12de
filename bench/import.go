package main

import (
	"context"
	"fmt"
	"time"

	"tarn/api/client"
)

// importJob imports what lies below a folder of the bucket.
func (b *bench) importJob(ctx context.Context, into, from string) (string, error) {
	r := client.ImportRequest{DatastoreId: into, DataAccessRoleArn: b.place.role.Arn}
	r.InputDataConfig.S3Uri = "s3://" + bucket + "/" + from
	r.JobOutputDataConfig.S3Configuration = client.S3Configuration{S3Uri: "s3://" + bucket + "/log", KmsKeyId: b.place.key.Arn}
	return b.server.client.StartImport(ctx, r)
}

// watch waits for the end of an import.
func (b *bench) watch(ctx context.Context, datastore, id string) (client.ImportJob, error) {
	for {
		j, err := b.server.client.DescribeImport(ctx, datastore, id)
		if err != nil {
			return j, err
		}
		if done, ok := client.Done(j.JobStatus); done {
			if !ok {
				err = fmt.Errorf("%s %s", j.JobStatus, j.Message)
			}
			return j, err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return j, ctx.Err()
		}
	}
}

// importOnce imports a folder and gives the resources that it scanned and imported, and how long it took.
func (b *bench) importOnce(ctx context.Context, into, from string) (p client.ProgressReport, took time.Duration, err error) {
	id, err := b.importJob(ctx, into, from)
	if err != nil {
		return p, 0, err
	}
	j, err := b.watch(ctx, into, id)
	return j.JobProgressReport, j.EndTime.Time().Sub(j.SubmitTime.Time()), err
}

// imports measures the import of the whole input and whether the rate stays: that of a probe, which is an even share
// of the input under other ids, into the empty data store and behind the whole input.
func (b *bench) imports(ctx context.Context) error {
	if err := b.upload(ctx); err != nil {
		return err
	}
	main := b.place.datastore.DatastoreId
	first, err := b.probe(ctx)
	if err != nil {
		return err
	}
	least, before, err := b.importOnce(ctx, main, first)
	if err != nil {
		return err
	}
	b.server.forgetPeak()
	p, took, err := b.importOnce(ctx, main, "in/")
	if err != nil {
		return err
	}
	note := fmt.Sprintf("%.1f s; validated and indexed, while nobody else writes; peak resident set %.0f MiB", took.Seconds(), float64(b.server.memory("VmHWM"))/(1<<20))
	if n := p.TotalNumberOfResourcesWithCustomerError; n > 0 {
		note += fmt.Sprintf("; %d refused by validation", n)
	}
	b.report.add(fmt.Sprintf("import, %d resources, %.0f MB", b.count, float64(b.bytes)/1e6), fmt.Sprintf("%.0f resources/s", perSecond(p.TotalNumberOfResourcesScanned, took)), "25,000/s", note)
	second, err := b.probe(ctx)
	if err != nil {
		return err
	}
	_, after, err := b.importOnce(ctx, main, second)
	if err != nil {
		return err
	}
	n := least.TotalNumberOfResourcesScanned
	b.report.add(fmt.Sprintf("import of %d, first and behind %d", n, b.count), fmt.Sprintf("%.0f, %.0f resources/s", perSecond(n, before), perSecond(n, after)),
		"flat", "an even share of the input under other ids, into the empty data store and after the row above")
	_, again, err := b.importOnce(ctx, main, second)
	if err != nil {
		return err
	}
	b.report.add("import of what is there already", fmt.Sprintf("%.0f resources/s", perSecond(n, again)), "", "the same lines once more: a new version of each, by commits")
	return nil
}
