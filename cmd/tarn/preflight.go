package main

import (
	"context"
	"fmt"
	"io"

	"tarn/api/client"
)

type preflightCmd struct {
	exportFlags
	remote
}

// Run looks at everything that an export needs, and starts nothing.
func (c *preflightCmd) Run(ctx context.Context, s *screen) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	in, d, err := c.request(ctx, s, api)
	if err != nil {
		return err
	}
	findings, err := api.Preflight(ctx, in)
	if err != nil {
		return err
	}
	if c.JSON {
		if findings == nil {
			findings = []client.Finding{}
		}
		if err := s.json(map[string]any{"findings": findings, "request": in}); err != nil {
			return err
		}
	}
	if len(findings) > 0 {
		if !c.JSON {
			s.findings(s.out, findings)
		}
		return errReported
	}
	if !c.JSON {
		to := in.OutputDataConfig.S3Configuration
		s.say("Nothing stands in the way of an export of %s.", d.DatastoreName)
		s.say("  to    %s\n  key   %s\n  role  %s", to.S3Uri, to.KmsKeyId, in.DataAccessRoleArn)
	}
	return nil
}

// findings prints what a preflight found, numbered, each with its remedy.
func (s *screen) findings(w io.Writer, all []client.Finding) {
	live := s.live
	if w == s.out {
		live = s.outLive
	}
	fmt.Fprintf(w, "The export cannot start for %s:\n", plural(len(all), "reason"))
	for i, f := range all {
		fmt.Fprintf(w, "\n  %d. %s on %s\n     %s\n", i+1, s.colour("1", f.Setting, live), f.Resource, f.Problem)
		if f.Remedy != "" {
			fmt.Fprintf(w, "     remedy: %s\n", f.Remedy)
		}
	}
}
