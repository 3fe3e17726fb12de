package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tarn/api/client"
)

// resumes kills the server by SIGKILL when an export has done a share of its parts, starts it again, and measures how
// soon the export moves, how long the rest takes, and how much of what was done is done again.
func (b *bench) resumes(ctx context.Context) error {
	_, whole, err := b.exportOnce(ctx)
	if err != nil {
		return err
	}
	b.report.add("export, undisturbed", fmt.Sprintf("%.2f s", whole.Seconds()), "", "beside the next rows")
	for _, percent := range []int64{25, 50, 75} {
		for attempt := 0; ; attempt++ {
			hit, err := b.resume(ctx, percent, whole)
			if err != nil {
				return err
			}
			if hit {
				break
			}
			if attempt == 10 {
				return fmt.Errorf("every export had ended before it could be killed at %d%%", percent)
			}
		}
	}
	return nil
}

// resume is one export that is killed; hit says whether it had not ended before.
func (b *bench) resume(ctx context.Context, percent int64, whole time.Duration) (hit bool, err error) {
	c, d := b.server.client, b.place.datastore.DatastoreId
	r := client.ExportRequest{DatastoreId: d, DataAccessRoleArn: b.place.role.Arn}
	r.OutputDataConfig.S3Configuration = client.S3Configuration{S3Uri: "s3://" + bucket + "/out", KmsKeyId: b.place.key.Arn}
	id, err := c.StartExport(ctx, r)
	if err != nil {
		return false, err
	}
	for {
		p, err := c.ExportProgress(ctx, d, id)
		if err != nil {
			return false, err
		}
		if done, _ := client.Done(p.JobStatus); done {
			return false, nil
		}
		if p.Progress.PartsTotal > 0 && 100*p.Progress.PartsDone >= percent*p.Progress.PartsTotal {
			break
		}
	}
	b.server.kill()
	begin := time.Now()
	if err := b.start(ctx); err != nil {
		return false, err
	}
	c = b.server.client
	p, err := c.ExportProgress(ctx, d, id)
	if err != nil {
		return false, err
	}
	kept, moved := p.Progress, time.Duration(0)
	if done, _ := client.Done(p.JobStatus); done && kept.PartsDone == kept.PartsTotal && time.Since(begin) < whole/10 {
		return false, nil // it may have ended before the signal came
	}
	written, err := b.objects(ctx, p.Folder)
	if err != nil {
		return false, err
	}
	for {
		if p, err = c.ExportProgress(ctx, d, id); err != nil {
			return false, err
		}
		if moved == 0 && p.Progress.PartsDone > kept.PartsDone {
			moved = time.Since(begin)
		}
		if done, ok := client.Done(p.JobStatus); done {
			if !ok {
				return false, fmt.Errorf("%s %s", p.JobStatus, p.Message)
			}
			break
		}
	}
	rest := time.Since(begin)
	again := max(0, written-kept.Files)
	b.report.add(fmt.Sprintf("export killed by SIGKILL at %d%%", percent),
		fmt.Sprintf("moves after %.0f ms", float64(moved.Microseconds())/1e3), "1 s and a part",
		fmt.Sprintf("from the kill, of which %s until the server is ready; %d of %d parts were kept and at most %d files of others written again; all done after %.2f s",
			ms(b.server.took), kept.PartsDone, kept.PartsTotal, again, rest.Seconds()))
	return true, nil
}

// objects counts what lies below a folder s3://bucket/prefix/.
func (b *bench) objects(ctx context.Context, folder string) (n int64, err error) {
	for _, err := range b.server.client.Objects(ctx, bucket, strings.TrimPrefix(folder, "s3://"+bucket+"/")) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
