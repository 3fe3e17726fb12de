package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
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

// quantiles are those of several runs.
type quantiles struct {
	p50, p99 []time.Duration
	rates    []float64 // in a second
}

func (q *quantiles) add(all []time.Duration, rate float64) {
	q.p50, q.p99, q.rates = append(q.p50, percentile(all, 50)), append(q.p99, percentile(all, 99)), append(q.rates, rate)
}

// rate is the median of the rates.
func (q *quantiles) rate() float64 { return median(q.rates) }

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
		var alone, beside quantiles // in turn, since what is alone varies most
		for range b.runs {
			all, each, err := b.writes(ctx, c, traffic.pause, nil)
			if err != nil {
				return err
			}
			alone.add(all, each)
			all, each, err = b.beside(ctx, c, traffic.pause, func(ctx context.Context) error { _, _, err := b.exportOnce(ctx); return err })
			if err != nil {
				return err
			}
			beside.add(all, each)
		}
		b.report.add("write, p99, alone, "+traffic.name, ms(median(alone.p99)), "",
			fmt.Sprintf("%s; p50 %s, %.0f writes/s; median of %d, from %s to %s", traffic.note, ms(median(alone.p50)), alone.rate(), b.runs, ms(slices.Min(alone.p99)), ms(slices.Max(alone.p99))))
		told := func(name string, one quantiles) {
			b.report.add("write, p99, while "+name+" runs, "+traffic.name, ms(median(one.p99)), "at most 2x",
				fmt.Sprintf("%.1fx; p50 %s, %.0f writes/s; from %s to %s", float64(median(one.p99))/float64(median(alone.p99)), ms(median(one.p50)), one.rate(), ms(slices.Min(one.p99)), ms(slices.Max(one.p99))))
		}
		told("an export", beside)
		if err := b.importBeside(ctx, c, traffic.pause, traffic.name, told); err != nil {
			return err
		}
	}
	return nil
}

// importBeside measures writes beside imports of new resources, and those imports.
func (b *bench) importBeside(ctx context.Context, c *caller, pause time.Duration, name string, told func(string, quantiles)) error {
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
	var one quantiles
	one.add(all, each)
	told("an import", one)
	b.report.add("import beside those writes, "+name, fmt.Sprintf("%.0f resources/s", perSecond(scanned, took)), "15,000/s",
		fmt.Sprintf("%d new resources, %.1f s", scanned, took.Seconds()))
	return nil
}
