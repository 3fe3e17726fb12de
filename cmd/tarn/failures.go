package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"tarn/api/client"
	"tarn/export"
	"tarn/fault"
)

// failure is one line that an import refused.
type failure struct {
	File   string `json:"file"` // as the user knows it
	Line   int64  `json:"line"` // from 1
	Reason string `json:"reason"`
}

// maxFailures bounds how many failures are read.
const maxFailures = 10

// importFailures reads the first failures of an import from the logs that it wrote.
func importFailures(ctx context.Context, api *client.Client, j client.ImportJob, files []source) ([]failure, error) {
	if j.JobProgressReport.TotalNumberOfResourcesWithCustomerError == 0 {
		return nil, nil
	}
	bucket, prefix, err := export.ParseS3Uri(j.JobOutputDataConfig.S3Configuration.S3Uri)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	for _, f := range files {
		known[f.name] = f.path
	}
	prefix += "FAILURE/"
	var all []failure
	for o, err := range api.Objects(ctx, bucket, prefix) {
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(o.Key, prefix)
		if path := known[name]; path != "" {
			name = path
		}
		log, err := api.GetObject(ctx, bucket, o.Key)
		if err != nil {
			return nil, err
		}
		all, err = readFailures(log, name, all)
		if err = errors.Join(err, log.Close()); err != nil {
			return nil, err
		}
		if len(all) == maxFailures {
			break
		}
	}
	return all, nil
}

// readFailures appends the failures of one log, as far as there is room.
func readFailures(log io.Reader, file string, all []failure) ([]failure, error) {
	in := bufio.NewReader(log)
	for len(all) < maxFailures {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return all, fault.Errorf(fault.Unavailable, "", "The failure log of %s broke off: %v.", file, err)
		}
		if len(line) > 0 {
			all = append(all, failureOf(line, file))
		}
		if err == io.EOF {
			break
		}
	}
	return all, nil
}

// failureOf reads one line of a log in HealthLake's form.
func failureOf(line []byte, file string) failure {
	var in struct {
		LineID   int64 `json:"lineId"`
		Response struct {
			Outcome struct {
				Issue []struct {
					Diagnostics string
					Expression  []string
					Details     struct{ Text string }
				}
			} `json:"jsonBlob"`
			Status int `json:"statusCode"`
		} `json:"UpdateResourceResponse"`
	}
	f := failure{File: file}
	if json.Unmarshal(line, &in) != nil {
		f.Reason = "the log has a line that cannot be read"
		return f
	}
	f.Line = in.LineID
	var reasons []string
	for _, issue := range in.Response.Outcome.Issue {
		text := issue.Diagnostics
		if text == "" {
			text = issue.Details.Text
		}
		if len(issue.Expression) > 0 && !strings.Contains(text, issue.Expression[0]) {
			text = issue.Expression[0] + ": " + text
		}
		reasons = append(reasons, text)
	}
	f.Reason = strings.Join(reasons, "; ")
	return f
}
