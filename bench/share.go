package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"tarn/export"
)

// shares measures writes beside exports, and those exports, under several settings of --export-share. It is measured only
// where it is named.
func (b *bench) shares(ctx context.Context) error {
	if b.only == "" {
		return nil
	}
	defer func() { b.serveFlags = nil }()
	for _, share := range []int{10, export.DefaultShare, 50, 100} {
		if err := b.server.stop(); err != nil {
			return err
		}
		b.serveFlags = []string{"--export-share", strconv.Itoa(share)}
		if err := b.start(ctx); err != nil {
			return err
		}
		c, err := b.caller()
		if err != nil {
			return err
		}
		if _, _, err := b.exportOnce(ctx); err != nil { // warms the caches
			return err
		}
		alone, _, err := b.writes(ctx, c, pace, nil)
		if err != nil {
			return err
		}
		var count int64
		var took time.Duration
		all, each, err := b.beside(ctx, c, pace, func(ctx context.Context) error {
			folder, t, err := b.exportOnce(ctx)
			if err != nil {
				return err
			}
			m, err := b.manifest(ctx, folder)
			count, took = count+int64(m.Count), took+t
			return err
		})
		if err != nil {
			return err
		}
		b.report.add(fmt.Sprintf("write, p99, beside an export of %d%%", share), ms(percentile(all, 99)), "at most 2x",
			fmt.Sprintf("%.1fx of %s alone; p50 %s, %.0f writes/s; the export makes %.0f resources/s",
				float64(percentile(all, 99))/float64(percentile(alone, 99)), ms(percentile(alone, 99)), ms(percentile(all, 50)), each, perSecond(count, took)))
	}
	return nil
}
