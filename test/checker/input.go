package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// original is a resource of the input that the writers will change.
type original struct {
	kind, id string
	body     []byte
}

// upload puts the input below a prefix of the bucket, in plain text, and gives an import entry for each line, in the
// order in which an import applies them. Of every n-th resource it keeps the body.
func (t *target) upload(ctx context.Context, dir, prefix string, n int) (entries []entry, kept []original, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.ndjson*"))
	if err != nil || len(files) == 0 {
		return nil, nil, errors.Join(err, fmt.Errorf("%s holds no .ndjson file", dir))
	}
	name := func(f string) string { return strings.TrimSuffix(filepath.Base(f), ".gz") }
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(name(a), name(b)) }) // the order of keys
	versions := map[string]int{}
	client := t.s3()
	for _, f := range files {
		b, err := plain(f)
		if err != nil {
			return nil, nil, err
		}
		key := prefix + name(f)
		if _, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &t.bucket, Key: &key, Body: bytes.NewReader(b)}); err != nil {
			return nil, nil, err
		}
		lines := bufio.NewScanner(bytes.NewReader(b))
		lines.Buffer(nil, 256<<20)
		for lines.Scan() {
			r, err := read(lines.Bytes())
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", f, err)
			}
			if versions[r.kind+"/"+r.id]++; len(entries)%n == 0 && versions[r.kind+"/"+r.id] == 1 {
				kept = append(kept, original{r.kind, r.id, bytes.Clone(lines.Bytes())})
			}
			entries = append(entries, entry{Op: "import", Type: r.kind, ID: r.id, Version: versions[r.kind+"/"+r.id], Sum: r.sum})
		}
		if err := lines.Err(); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", f, err)
		}
	}
	return entries, kept, nil
}

// plain reads a file, unpacked where its name ends in .gz.
func plain(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !strings.HasSuffix(path, ".gz") {
		return io.ReadAll(f)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// importAll imports what upload has put below a prefix and journals it.
func (t *target) importAll(ctx context.Context, prefix string, entries []entry, j *journal) error {
	sent := time.Now()
	var started struct{ JobId string }
	err := t.call(ctx, "StartFHIRImportJob", map[string]any{"DatastoreId": t.datastore, "DataAccessRoleArn": t.role,
		"InputDataConfig": map[string]string{"S3Uri": "s3://" + t.bucket + "/" + prefix}, "JobOutputDataConfig": t.output("checker-import-logs")}, &started)
	if err != nil {
		return err
	}
	done, err := t.await(ctx, "Import", started.JobId)
	if err != nil {
		return err
	}
	if r := done.JobProgressReport; r.TotalNumberOfResourcesImported != len(entries) || r.TotalNumberOfResourcesWithCustomerError != 0 {
		return fmt.Errorf("of %d resources the import took %d and refused %d", len(entries), r.TotalNumberOfResourcesImported, r.TotalNumberOfResourcesWithCustomerError)
	}
	now := time.Now()
	for i := range entries {
		entries[i].Sent, entries[i].Time = sent, now
	}
	return j.append(entries...)
}
