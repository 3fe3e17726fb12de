package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

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
	all, took, err := storm(ctx, clients, b.load, 0, nil, func(ctx context.Context, client, k int) error {
		id := fmt.Sprintf("b%s-%d-%d", run, client, k)
		created[client] = k + 1
		return c.send(ctx, http.MethodPut, "Observation/"+id, observation(id), http.StatusCreated)
	})
	if err != nil {
		return err
	}
	b.report.add("create, durable", fmt.Sprintf("%.0f/s", perSecond(int64(len(all)), took)), "3,500/s", fmt.Sprintf("p50 %s, p99 %s; %s", ms(percentile(all, 50)), ms(percentile(all, 99)), note))
	all, took, err = storm(ctx, clients, b.load, 0, nil, func(ctx context.Context, client, k int) error {
		return c.send(ctx, http.MethodGet, fmt.Sprintf("Observation/b%s-%d-%d", run, client, k*7919%created[client]), nil, http.StatusOK)
	})
	if err != nil {
		return err
	}
	b.report.add("read by id", fmt.Sprintf("%.0f/s", perSecond(int64(len(all)), took)), "15,000/s", fmt.Sprintf("p50 %s, p99 %s; %s", ms(percentile(all, 50)), ms(percentile(all, 99)), note))
	return nil
}
