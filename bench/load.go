package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"tarn/access/sigv4"
)

// caller sends signed requests over connections that stay open.
type caller struct {
	base string // of the data store
	cred sigv4.Credentials
	http *http.Client
}

func (b *bench) caller() (*caller, error) {
	id, secret, err := credentials(b.dir + "/data/aws/credentials")
	return &caller{base: b.server.url + "/datastore/" + b.place.datastore.DatastoreId + "/r4/", cred: sigv4.Credentials{AccessKeyID: id, Secret: secret},
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}}, err
}

// send makes one request; want is its status.
func (c *caller) send(ctx context.Context, method, path string, body []byte, want int) error {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	sum := sha256.Sum256(body)
	sigv4.Sign(r, c.cred, "healthlake", "us-east-1", hex.EncodeToString(sum[:]), time.Now())
	resp, err := c.http.Do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != want {
		err = errors.Join(err, fmt.Errorf("%s %s: %s", method, path, resp.Status))
	}
	return errors.Join(err, resp.Body.Close())
}

// storm sends from n clients, each as fast as it is answered, for a while, and gives the latencies.
func storm(ctx context.Context, n int, d time.Duration, send func(ctx context.Context, client, k int) error) ([]time.Duration, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*d+time.Minute)
	defer cancel()
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		all   []time.Duration
		first error
	)
	begin := time.Now()
	end := begin.Add(d)
	for client := range n {
		wg.Go(func() {
			var mine []time.Duration
			for k := 0; time.Now().Before(end); k++ {
				at := time.Now()
				if err := send(ctx, client, k); err != nil {
					mu.Lock()
					first = errors.Join(first, err)
					mu.Unlock()
					return
				}
				mine = append(mine, time.Since(at))
			}
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		})
	}
	wg.Wait()
	return all, time.Since(begin), first
}

// observation is a resource of about the mean size of the population.
func observation(id string) []byte {
	head := ""
	if id != "" {
		head = `"id":"` + id + `",`
	}
	return []byte(`{"resourceType":"Observation",` + head + `"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"8302-2","display":"Body Height"}],"text":"Body Height"},"subject":{"reference":"Patient/0f1d9f0a-5c6a-4f3a-9d2b-8a8b0a6f5f7e"},"encounter":{"reference":"Encounter/5a0b6f3c-3c53-4a35-ae1c-d9f4b3f3a111"},"effectiveDateTime":"2019-05-01T10:00:00-04:00","issued":"2019-05-01T10:00:00.000-04:00","valueQuantity":{"value":170.39999999999998,"unit":"cm","system":"http://unitsofmeasure.org","code":"cm"}}`)
}

// clients is how many callers send at once.
const clients = 16

// requests measures creates and reads.
func (b *bench) requests(ctx context.Context) error {
	c, err := b.caller()
	if err != nil {
		return err
	}
	note := fmt.Sprintf("%d clients on the same cores; SigV4 and policies on", clients)
	run := fmt.Sprint(time.Now().UnixMilli())
	created := make([]int, clients)
	all, took, err := storm(ctx, clients, b.load, func(ctx context.Context, client, k int) error {
		id := fmt.Sprintf("b%s-%d-%d", run, client, k)
		created[client] = k + 1
		return c.send(ctx, http.MethodPut, "Observation/"+id, observation(id), http.StatusCreated)
	})
	if err != nil {
		return err
	}
	b.report.add("create, durable", fmt.Sprintf("%.0f/s", perSecond(int64(len(all)), took)), "3,500/s", fmt.Sprintf("p50 %s, p99 %s; %s", ms(percentile(all, 50)), ms(percentile(all, 99)), note))
	all, took, err = storm(ctx, clients, b.load, func(ctx context.Context, client, k int) error {
		return c.send(ctx, http.MethodGet, fmt.Sprintf("Observation/b%s-%d-%d", run, client, k*7919%created[client]), nil, http.StatusOK)
	})
	if err != nil {
		return err
	}
	b.report.add("read by id", fmt.Sprintf("%.0f/s", perSecond(int64(len(all)), took)), "15,000/s", fmt.Sprintf("p50 %s, p99 %s; %s", ms(percentile(all, 50)), ms(percentile(all, 99)), note))
	return nil
}

// latencies measures writes at a steady pace, alone and beside jobs.
func (b *bench) latencies(ctx context.Context) error {
	c, err := b.caller()
	if err != nil {
		return err
	}
	const writers = 4
	measure := func() ([]time.Duration, error) {
		run := fmt.Sprint(time.Now().UnixMilli())
		all, _, err := storm(ctx, writers, b.load, func(ctx context.Context, client, k int) error {
			id := fmt.Sprintf("w%s-%d-%d", run, client, k)
			return c.send(ctx, http.MethodPut, "Observation/"+id, observation(id), http.StatusCreated)
		})
		return all, err
	}
	alone, err := measure()
	if err != nil {
		return err
	}
	note := fmt.Sprintf("%d clients that write one after the other; p50 %s", writers, ms(percentile(alone, 50)))
	b.report.add("write, p99, alone", ms(percentile(alone, 99)), "", note)
	beside := func(name string, begin func(context.Context) error) error {
		job, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() {
			for job.Err() == nil {
				if err := begin(job); err != nil && job.Err() == nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		all, err := measure()
		cancel()
		if err = errors.Join(err, <-done); err != nil {
			return err
		}
		b.report.add("write, p99, while "+name+" runs", ms(percentile(all, 99)), "at most 2x", fmt.Sprintf("%.1fx; p50 %s", float64(percentile(all, 99))/float64(percentile(alone, 99)), ms(percentile(all, 50))))
		return nil
	}
	if err := beside("an export", func(ctx context.Context) error { _, _, err := b.exportOnce(ctx); return err }); err != nil {
		return err
	}
	var jobs []string
	begin := time.Now()
	if err := beside("an import", func(ctx context.Context) error {
		id, err := b.importJob(ctx)
		if err != nil {
			return err
		}
		jobs = append(jobs, id)
		return b.wait(ctx, id)
	}); err != nil {
		return err
	}
	took, imported := time.Since(begin), int64(0)
	for _, id := range jobs {
		j, err := b.server.client.DescribeImport(ctx, b.place.datastore.DatastoreId, id)
		if err != nil {
			return err
		}
		imported += j.JobProgressReport.TotalNumberOfResourcesImported
	}
	b.report.add("import beside those writes", fmt.Sprintf("%.0f resources/s", perSecond(imported, took)), "15,000/s",
		"updates of what is there, from the progress at the end")
	return nil
}
