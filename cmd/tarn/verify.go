package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"tarn/api/client"
	"tarn/export"
	"tarn/fault"
)

type verifyCmd struct {
	Export string `arg:"" help:"The job's id, or the folder of its files: s3://bucket/prefix/folder/."`
	dataStore
	ManifestOnly bool `help:"Do not ask the data store: prove the files against their manifest alone."`
	remote
}

// exported is one export: where it lies and which job made it.
type exported struct {
	folder         string // s3://...
	datastore, job string // empty where the manifest will tell
}

func exportOf(p client.ExportProgress) exported { return exported{p.Folder, p.DatastoreID, p.JobID} }

// Run verifies an export.
func (c *verifyCmd) Run(ctx context.Context, s *screen) error {
	isFolder := strings.HasPrefix(c.Export, "s3://")
	if !isFolder && !isID(c.Export) {
		return usagef("A job's id has 32 digits of 0-9 and a-f; a folder begins with s3://.", "%q is neither a job nor a folder.", c.Export)
	}
	api, err := c.connect()
	if err != nil {
		return err
	}
	what := exported{folder: c.Export}
	if !isFolder {
		if what, err = c.ofJob(ctx, api); err != nil {
			return err
		}
	}
	return c.verify(ctx, s, api, what)
}

// ofJob is the export of the job that the argument names.
func (c *verifyCmd) ofJob(ctx context.Context, api *client.Client) (exported, error) {
	d, err := c.findFor(ctx, api, c.Export)
	if err != nil {
		return exported{}, err
	}
	p, err := api.ExportProgress(ctx, d.DatastoreId, c.Export)
	if err != nil {
		return exported{}, err
	}
	switch done, ok := client.Done(p.JobStatus); {
	case done && !ok:
		return exported{}, fault.WithHint(fault.Errorf(fault.Conflict, "", "Export %s is %s; only a complete one can be proved.", p.JobID, p.JobStatus),
			"tarn jobs describe %s --datastore %s%s says why. A folder with a manifest.json can be proved by its address.", p.JobID, p.DatastoreID, c.flags())
	case !done:
		return exported{}, fault.WithHint(fault.Errorf(fault.Conflict, "", "Export %s is %s; only a complete one can be proved.", p.JobID, p.JobStatus),
			"tarn jobs watch %s --datastore %s%s", p.JobID, p.DatastoreID, c.flags())
	}
	return exportOf(p), nil
}

// verify proves an export and prints the outcome. Problems end it with errReported.
func (c *verifyCmd) verify(ctx context.Context, s *screen, api *client.Client, what exported) error {
	report, against, lost, err := prove(ctx, s, api, what, c.ManifestOnly)
	if err != nil {
		return err
	}
	ok := len(report.Problems) == 0
	if c.JSON {
		if report.Problems == nil {
			report.Problems = []export.Problem{}
		}
		err := s.json(map[string]any{"folder": what.folder, "ok": ok, "verified": report.Verified, "count": report.Manifest.Count,
			"against": against, "transactionTime": report.Manifest.TransactionTime, "problems": report.Problems, "lost": lost})
		if err != nil {
			return err
		}
	} else {
		for i, p := range report.Problems {
			if i == maxShown {
				s.say("  ... and %d more; --json shows all.", len(report.Problems)-i)
				break
			}
			s.say("%s: %s", s.head(p.Name), p.Text)
		}
		for _, line := range lostLines(lost) {
			s.say("%s", line)
		}
		s.say("%s (%s)", verdict(report), against)
		if report.Manifest.JobID == "" && !strings.Contains(what.folder, "-FHIR_EXPORT-") {
			s.note("hint: An export's folder ends in DATASTORE-FHIR_EXPORT-JOB/; tarn jobs describe JOB shows it.")
		}
	}
	if !ok {
		return errReported
	}
	return nil
}

// maxShown bounds how many problems, or failures, are printed.
const maxShown = 20

// verdict is the line that says how much of an export is proved.
func verdict(r export.Report) string {
	return "verified " + strconv.Itoa(r.Verified) + " of " + strconv.Itoa(r.Manifest.Count) + " resources"
}

// prove reads an export and says what is wrong with it, and against what it was held.
func prove(ctx context.Context, s *screen, api *client.Client, what exported, manifestOnly bool) (report export.Report, against string, lost client.Lost, err error) {
	bucket, prefix, err := export.ParseS3Uri(what.folder)
	if err != nil {
		return report, "", lost, &usageError{err}
	}
	folder := client.Folder{Client: api, Bucket: bucket, Prefix: prefix}
	manifest, err := readManifest(ctx, folder)
	if err != nil {
		return report, "", lost, err
	}
	if what.job == "" {
		what.datastore, what.job = manifest.DatastoreID, manifest.JobID
	}
	var digests []export.File
	against = "against the manifest alone"
	if !manifestOnly && what.job != "" {
		asked, gone, err := api.Digests(ctx, what.datastore, what.job)
		if err != nil {
			return report, "", lost, fault.WithHint(err, "--manifest-only proves the files against their manifest without the data store.")
		}
		digests = make([]export.File, len(asked))
		for i, d := range asked {
			digests[i] = export.File(d)
		}
		against, lost = "against the manifest and the data store", gone
	}
	b := s.newBar("Verifying", int64(manifest.Count), unitThings)
	defer b.end()
	report, err = export.Verify(ctx, folder, digests, func(done int) { b.set(int64(done), int64(manifest.Count)) })
	return report, against, lost, err
}

// lostLines say what of an export its data store has no more. An export stays good for that.
func lostLines(lost client.Lost) (lines []string) {
	for _, e := range lost.Erased {
		by := "in an erasure of which there is no record any more"
		if e.Erasure != "" {
			by = "on " + e.Instant + " by erasure " + e.Erasure
		}
		what := "resources of this export were"
		if e.Count == 1 {
			what = "resource of this export was"
		}
		lines = append(lines, fmt.Sprintf("%d %s erased %s.", e.Count, what, by))
	}
	if lost.Removed > 0 {
		lines = append(lines, fmt.Sprintf("The versions of %d resources of this export are not kept in the history any more.", lost.Removed))
	}
	if len(lines) > 0 {
		lines = append(lines, "Files that hold them were proved against the record that was made when they were written.")
	}
	return lines
}

// readManifest reads an export's manifest, as far as it can be read: what is wrong with it, Verify says.
func readManifest(ctx context.Context, folder client.Folder) (m export.Manifest, err error) {
	r, err := folder.Open(ctx, export.ManifestName)
	if fault.Is(err, fault.NotFound) {
		var answer *client.Error
		if errors.As(err, &answer) && answer.Code == "NoSuchBucket" {
			return m, err
		}
		return m, nil
	}
	if err != nil {
		return m, err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return m, fault.Errorf(fault.Unavailable, "", "The manifest cannot be read to its end: %v.", err)
	}
	_ = json.Unmarshal(b, &m)
	return m, nil
}
