package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	writers = 4
	pace    = 20 * time.Millisecond // between two requests of one client of steady traffic
)

// writes is the latencies of single writes by some clients, and how many there were in a second.
func (b *bench) writes(ctx context.Context, c *caller, pause time.Duration, over <-chan struct{}) ([]time.Duration, float64, error) {
	run := fmt.Sprint(time.Now().UnixMilli())
	all, took, err := storm(ctx, writers, b.load, pause, over, func(ctx context.Context, client, k int) error {
		id := fmt.Sprintf("w%s-%d-%d", run, client, k)
		return c.send(ctx, http.MethodPut, "Observation/"+id, observation(id), http.StatusCreated)
	})
	return all, perSecond(int64(len(all)), took), err
}

// beside measures writes while a work is done: over and over for the time of a load, and then to its end.
func (b *bench) beside(ctx context.Context, c *caller, pause time.Duration, work func(context.Context) error) ([]time.Duration, float64, error) {
	over, done := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(over)
		for begin := time.Now(); time.Since(begin) < b.load; {
			if err := work(ctx); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	all, each, err := b.writes(ctx, c, pause, over)
	return all, each, errors.Join(err, <-done)
}

// latencies measures writes alone and beside jobs, by steady clients and by restless ones.
func (b *bench) latencies(ctx context.Context) error {
	c, err := b.caller()
	if err != nil {
		return err
	}
	for _, traffic := range []struct {
		name, note string
		pause      time.Duration
	}{
		{"steady", fmt.Sprintf("%d clients that write, each with %v between two writes", writers, pace), pace},
		{"restless", fmt.Sprintf("%d clients that write one after the other", writers), 0},
	} {
		alone, each, err := b.writes(ctx, c, traffic.pause, nil)
		if err != nil {
			return err
		}
		b.report.add("write, p99, alone, "+traffic.name, ms(percentile(alone, 99)), "", fmt.Sprintf("%s; p50 %s, %.0f writes/s", traffic.note, ms(percentile(alone, 50)), each))
		told := func(name string, all []time.Duration, each float64) {
			b.report.add("write, p99, while "+name+" runs, "+traffic.name, ms(percentile(all, 99)), "at most 2x",
				fmt.Sprintf("%.1fx; p50 %s, %.0f writes/s", float64(percentile(all, 99))/float64(percentile(alone, 99)), ms(percentile(all, 50)), each))
		}
		all, each, err := b.beside(ctx, c, traffic.pause, func(ctx context.Context) error { _, _, err := b.exportOnce(ctx); return err })
		if err != nil {
			return err
		}
		told("an export", all, each)
		if err := b.importBeside(ctx, c, traffic.pause, traffic.name, told); err != nil {
			return err
		}
	}
	return nil
}

// importBeside measures writes beside imports of new resources, and those imports.
func (b *bench) importBeside(ctx context.Context, c *caller, pause time.Duration, name string, told func(string, []time.Duration, float64)) error {
	var probes []string // made beforehand, as making them takes processors
	for range 3 {
		folder, err := b.probe(ctx)
		if err != nil {
			return err
		}
		probes = append(probes, folder)
	}
	var scanned int64
	var took time.Duration
	all, each, err := b.beside(ctx, c, pause, func(ctx context.Context) (err error) {
		if len(probes) == 0 {
			return errors.New("the imports are faster than expected: give less time by -load")
		}
		folder := probes[0]
		probes = probes[1:]
		p, one, err := b.importOnce(ctx, b.place.datastore.DatastoreId, folder)
		scanned, took = scanned+p.TotalNumberOfResourcesScanned, took+one
		return err
	})
	if err != nil {
		return err
	}
	told("an import", all, each)
	b.report.add("import beside those writes, "+name, fmt.Sprintf("%.0f resources/s", perSecond(scanned, took)), "15,000/s",
		fmt.Sprintf("%d new resources, %.1f s", scanned, took.Seconds()))
	return nil
}
