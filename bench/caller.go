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
	"strings"
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
	_, err := c.fetch(ctx, method, path, body, want, io.Discard)
	return err
}

// fetch is send with the answer's body, and how many bytes that has.
func (c *caller) fetch(ctx context.Context, method, path string, body []byte, want int, to io.Writer) (int64, error) {
	url := c.base + path
	if strings.HasPrefix(path, "http") {
		url = path
	}
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	sum := sha256.Sum256(body)
	sigv4.Sign(r, c.cred, "healthlake", "us-east-1", hex.EncodeToString(sum[:]), time.Now())
	resp, err := c.http.Do(r)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode != want {
		said, err := io.ReadAll(io.LimitReader(resp.Body, 300))
		return 0, errors.Join(err, resp.Body.Close(), fmt.Errorf("%s %s: %s %s", method, path, resp.Status, bytes.ReplaceAll(said, []byte("|"), []byte("/"))))
	}
	n, err := io.Copy(to, resp.Body)
	return n, errors.Join(err, resp.Body.Close())
}

// storm sends from n clients, each when it has been answered and has paused, and gives the latencies and how long it
// took. It lasts for d, or until over is closed if that is not nil.
func storm(ctx context.Context, n int, d, pause time.Duration, over <-chan struct{}, send func(ctx context.Context, client, k int) error) ([]time.Duration, time.Duration, error) {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		all   []time.Duration
		first error
	)
	begin := time.Now()
	if over == nil {
		timer := make(chan struct{})
		time.AfterFunc(d, func() { close(timer) })
		over = timer
	}
	for client := range n {
		wg.Go(func() {
			var mine []time.Duration
			var err error
			for k := 0; err == nil && ctx.Err() == nil; k++ {
				select {
				case <-over:
					mu.Lock()
					all = append(all, mine...)
					mu.Unlock()
					return
				default:
				}
				at := time.Now()
				err = send(ctx, client, k)
				mine = append(mine, time.Since(at))
				time.Sleep(pause)
			}
			mu.Lock()
			first = errors.Join(first, err, ctx.Err())
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
