package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tarn/api/client"
	"tarn/synth"
)

// population finds or makes the input.
func (b *bench) population(ctx context.Context) error {
	if b.data = b.input; b.data == "" {
		b.data = filepath.Join(b.dir, "input")
		if err := os.Mkdir(b.data, 0o700); err != nil {
			return err
		}
		if _, err := synth.WriteDir(ctx, b.data, synth.Options{Seed: 1, Patients: b.patients}); err != nil {
			return err
		}
	}
	files, err := filepath.Glob(filepath.Join(b.data, "*.ndjson"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no .ndjson files in %s: %w", b.data, err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		in := bufio.NewReaderSize(f, 1<<20)
		for {
			chunk, err := in.ReadSlice('\n')
			b.bytes += int64(len(chunk))
			b.count += int64(bytes.Count(chunk, []byte{'\n'}))
			if err != nil && err != bufio.ErrBufferFull {
				break
			}
		}
		f.Close()
	}
	return nil
}

// upload puts the input into the bucket.
func (b *bench) upload(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(b.data, "*.ndjson"))
	if err != nil {
		return err
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err == nil {
			err = b.server.client.PutObject(ctx, bucket, "in/"+filepath.Base(file), f, info.Size())
		}
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) importJob(ctx context.Context) (string, error) {
	r := client.ImportRequest{DatastoreId: b.place.datastore.DatastoreId, DataAccessRoleArn: b.place.role.Arn}
	r.InputDataConfig.S3Uri = "s3://" + bucket + "/in/"
	r.JobOutputDataConfig.S3Configuration = client.S3Configuration{S3Uri: "s3://" + bucket + "/log", KmsKeyId: b.place.key.Arn}
	return b.server.client.StartImport(ctx, r)
}

// imports measures the import of the whole input, and whether its rate stays.
func (b *bench) imports(ctx context.Context) error {
	if err := b.upload(ctx); err != nil {
		return err
	}
	id, err := b.importJob(ctx)
	if err != nil {
		return err
	}
	type sight struct {
		at time.Time
		n  int64
	}
	seen := []sight{{time.Now(), 0}}
	for {
		j, err := b.server.client.DescribeImport(ctx, b.place.datastore.DatastoreId, id)
		if err != nil {
			return err
		}
		if n := j.JobProgressReport.TotalNumberOfResourcesImported; n != seen[len(seen)-1].n {
			seen = append(seen, sight{time.Now(), n})
		}
		if done, ok := client.Done(j.JobStatus); done {
			if !ok || j.JobProgressReport.TotalNumberOfResourcesImported != b.count {
				return fmt.Errorf("%s %s, %d of %d", j.JobStatus, j.Message, j.JobProgressReport.TotalNumberOfResourcesImported, b.count)
			}
			took := j.EndTime.Time().Sub(j.SubmitTime.Time())
			b.report.add(fmt.Sprintf("import, %d resources, %.0f MB", b.count, float64(b.bytes)/1e6), fmt.Sprintf("%.0f resources/s", perSecond(b.count, took)),
				"15,000/s", fmt.Sprintf("%.1f s; without validation and search index, which are not there yet", took.Seconds()))
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	rate := func(from, to float64) float64 { // between two shares of the input
		var a, z sight
		for _, s := range seen {
			if float64(s.n) <= from*float64(b.count) {
				a = s
			}
			if float64(s.n) <= to*float64(b.count) {
				z = s
			}
		}
		return perSecond(z.n-a.n, z.at.Sub(a.at))
	}
	if len(seen) > 8 {
		b.report.add("import, first and last quarter", fmt.Sprintf("%.0f, %.0f resources/s", rate(0, 0.25), rate(0.75, 1)), "flat", "from the job's progress")
	}
	return nil
}
