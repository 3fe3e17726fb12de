package main

import (
	"context"
	"time"

	"tarn/synth"
)

type synthCmd struct {
	Patients int    `help:"How many people; each brings some 300 resources." default:"100" placeholder:"N"`
	Seed     uint64 `help:"Another seed, another population; the same seed gives the same bytes." default:"1" placeholder:"S"`
	Out      string `help:"Folder to write TYPE.ndjson files into." required:"" placeholder:"DIR"`
	JSON     bool   `name:"json" help:"Print the result as JSON."`
}

// Run writes the population.
func (c *synthCmd) Run(ctx context.Context, s *screen) error {
	start := time.Now()
	sum, err := synth.WriteDir(ctx, c.Out, synth.Options{Seed: c.Seed, Patients: c.Patients})
	if err != nil {
		return &failedLocally{err}
	}
	if c.JSON {
		type file struct {
			Type      string `json:"type"`
			Path      string `json:"path"`
			Resources int64  `json:"resources"`
			Bytes     int64  `json:"bytes"`
		}
		files := []file{}
		for _, t := range sum.Types {
			files = append(files, file(t))
		}
		return s.json(map[string]any{"resources": sum.Resources, "bytes": sum.Bytes, "files": files})
	}
	var rows [][]string
	for _, t := range sum.Types {
		rows = append(rows, []string{t.Type, comma(t.Resources), size(t.Bytes), t.Path})
	}
	s.table([]string{"type", "resources", "size", "file"}, rows)
	s.say("\nWrote %s of %s, %s, in %s. All of it is invented.", plural(sum.Resources, "resource"), plural(c.Patients, "patient"), size(sum.Bytes), took(time.Since(start)))
	return nil
}
