package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// restarts measures how soon a server is ready, and answers, after SIGTERM and after SIGKILL, and its idle memory.
func (b *bench) restarts(ctx context.Context) error {
	if err := b.server.stop(); err != nil {
		return err
	}
	for _, how := range []string{"SIGTERM", "SIGKILL in the middle of writes"} {
		begin := time.Now()
		if err := b.start(ctx); err != nil {
			return err
		}
		c, err := b.caller()
		if err != nil {
			return err
		}
		if err := c.send(ctx, http.MethodGet, "metadata", nil, http.StatusOK); err != nil {
			return err
		}
		if err := c.send(ctx, http.MethodPut, "Observation/first", observation("first"), http.StatusCreated); err != nil && how == "SIGTERM" {
			return err
		}
		b.report.add("start to ready after "+how, ms(b.server.took), "1 s", "to the first answered write "+ms(time.Since(begin)))
		if how == "SIGTERM" {
			time.Sleep(20 * time.Second) // until what the writes before have left to compact is done
			b.report.add("idle memory", fmt.Sprintf("%.0f MiB", float64(b.server.memory("VmRSS"))/(1<<20)), "60 MB", "resident set 20 s after the start and a first write")
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, _, _ = storm(ctx, clients, b.load, 0, nil, func(ctx context.Context, client, k int) error {
					id := fmt.Sprintf("k%d-%d", client, k)
					return c.send(ctx, http.MethodPut, "Observation/"+id, observation(id), http.StatusCreated)
				})
			}()
			time.Sleep(b.load / 2)
			b.server.kill()
			<-ended
		}
	}
	return nil
}
