package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/minio/sio"

	"tarn/api/client"
	"tarn/export"
)

// exportOnce runs an export and gives its folder's prefix and how long it took from submission to end.
func (b *bench) exportOnce(ctx context.Context) (folder string, took time.Duration, err error) {
	c := b.server.client
	r := client.ExportRequest{DatastoreId: b.place.datastore.DatastoreId, DataAccessRoleArn: b.place.role.Arn}
	r.OutputDataConfig.S3Configuration = client.S3Configuration{S3Uri: "s3://" + bucket + "/out", KmsKeyId: b.place.key.Arn}
	id, err := c.StartExport(ctx, r)
	if err != nil {
		return "", 0, err
	}
	return b.exported(ctx, id)
}

// organizedOnce is an export of all patients in blocks, by HL7's kick-off.
func (b *bench) organizedOnce(ctx context.Context) (folder string, took time.Duration, err error) {
	body, err := json.Marshal(map[string]any{"DataAccessRoleArn": b.place.role.Arn,
		"OutputDataConfig": map[string]any{"S3Configuration": client.S3Configuration{S3Uri: "s3://" + bucket + "/out", KmsKeyId: b.place.key.Arn}}})
	if err != nil {
		return "", 0, err
	}
	resp, err := b.server.client.FHIR(ctx, http.MethodPost, b.place.datastore.DatastoreId, "Patient/$export?organizeOutputBy=Patient", body)
	if err != nil {
		return "", 0, err
	}
	var started struct{ JobID string }
	if err := errors.Join(json.NewDecoder(resp.Body).Decode(&started), resp.Body.Close()); err != nil {
		return "", 0, err
	}
	return b.exported(ctx, started.JobID)
}

// exported waits for an export's end.
func (b *bench) exported(ctx context.Context, id string) (folder string, took time.Duration, err error) {
	c := b.server.client
	for {
		j, err := c.DescribeExport(ctx, b.place.datastore.DatastoreId, id)
		if err != nil {
			return "", 0, err
		}
		if done, ok := client.Done(j.JobStatus); done {
			if !ok {
				return "", 0, fmt.Errorf("%s %s", j.JobStatus, j.Message)
			}
			return "out/" + export.Folder(b.place.datastore.DatastoreId, id), j.EndTime.Time().Sub(j.SubmitTime.Time()), nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (b *bench) manifest(ctx context.Context, folder string) (m export.Manifest, err error) {
	r, err := b.server.client.GetObject(ctx, bucket, folder+export.ManifestName)
	if err != nil {
		return m, err
	}
	text, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return m, err
	}
	return m, json.Unmarshal(text, &m)
}

// exports measures whole exports, each beside the copy limit: reading the same files, encrypting them alike, writing
// and syncing them.
func (b *bench) exports(ctx context.Context) error {
	folder, _, err := b.exportOnce(ctx) // warms the caches; its files are what the limit copies
	if err != nil {
		return err
	}
	m, err := b.manifest(ctx, folder)
	if err != nil {
		return err
	}
	plain, err := b.download(ctx, folder, m)
	if err != nil {
		return err
	}
	defer os.RemoveAll(plain)
	idle := b.server.memory("VmRSS")
	b.server.forgetPeak()
	var times, limits []time.Duration
	for range b.runs {
		limit, err := b.copyLimit(plain)
		if err != nil {
			return err
		}
		_, took, err := b.exportOnce(ctx)
		if err != nil {
			return err
		}
		times, limits = append(times, took), append(limits, limit)
	}
	peak := b.server.memory("VmHWM")
	took, limit := median(times), median(limits)
	mb := float64(m.Bytes) / 1e6
	note := fmt.Sprintf("%.2f s, median of %d, from submission to end; encrypted, SHA-256, synced", took.Seconds(), b.runs)
	b.report.add(fmt.Sprintf("export, %d resources, %.0f MB, %d files", m.Count, mb, len(m.Output)), fmt.Sprintf("%.0f MB/s", mb/took.Seconds()), "300 MB/s", note)
	b.report.add("export", fmt.Sprintf("%.0f resources/s", perSecond(int64(m.Count), took)), "200,000/s", "the same runs")
	b.report.add("export against the copy limit", fmt.Sprintf("%.2f", limit.Seconds()/took.Seconds()), "0.6",
		fmt.Sprintf("limit %.0f MB/s: the same bytes read, AES-256-GCM, written, synced by two threads, in turn with the exports", mb/limit.Seconds()))
	folder, took, err = b.organizedOnce(ctx)
	if err != nil {
		return err
	}
	if m, err = b.manifest(ctx, folder); err != nil {
		return err
	}
	b.report.add("export organized by patient", fmt.Sprintf("%.0f resources/s", perSecond(int64(m.Count), took)), "",
		fmt.Sprintf("%d resources in %d files, %.2f s, once", m.Count, len(m.Output), took.Seconds()))
	b.report.add("memory of an export over idle", fmt.Sprintf("%.0f MiB", float64(peak-idle)/(1<<20)), "256 MiB", fmt.Sprintf("peak resident set over %.0f MiB before", float64(idle)/(1<<20)))
	return nil
}

// download reads an export's files back, decrypted, into a folder.
func (b *bench) download(ctx context.Context, folder string, m export.Manifest) (string, error) {
	dir := filepath.Join(b.dir, "plain")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	for i, f := range m.Output {
		r, err := b.server.client.GetObject(ctx, bucket, folder+f.Name)
		if err != nil {
			return "", err
		}
		out, err := os.Create(filepath.Join(dir, fmt.Sprintf("%06d", i)))
		if err != nil {
			return "", err
		}
		_, err = io.Copy(out, r)
		if err = errors.Join(err, r.Close(), out.Close()); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// copyLimit is how long it takes to read the files, encrypt, write and sync them, by two threads.
func (b *bench) copyLimit(dir string) (time.Duration, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	to := filepath.Join(b.dir, "copy")
	if err := os.MkdirAll(to, 0o700); err != nil {
		return 0, err
	}
	defer os.RemoveAll(to)
	names := make(chan string)
	var wg sync.WaitGroup
	fails := make(chan error, 2)
	begin := time.Now()
	for range 2 {
		wg.Go(func() {
			for name := range names {
				if err := copySealed(filepath.Join(dir, name), filepath.Join(to, name)); err != nil {
					select {
					case fails <- err:
					default:
					}
				}
			}
		})
	}
	for _, e := range entries {
		names <- e.Name()
	}
	close(names)
	wg.Wait()
	took := time.Since(begin)
	select {
	case err := <-fails:
		return 0, err
	default:
		return took, nil
	}
}

func copySealed(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	key := make([]byte, 32)
	rand.Read(key)
	_, err = sio.Encrypt(out, in, sio.Config{MinVersion: sio.Version20, CipherSuites: []byte{sio.AES_256_GCM}, Key: key})
	return errors.Join(err, out.Sync(), out.Close())
}
