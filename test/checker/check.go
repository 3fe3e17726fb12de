package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// maxLines is how many resources a file may hold.
const maxLines = 5000

// manifest is what the checker looks at of an export's manifest.json.
type manifest struct {
	JobID           string `json:"jobId"`
	TransactionTime string `json:"transactionTime"`
	Count           int    `json:"count"`
	Output          []struct {
		Type   string `json:"type"`
		Name   string `json:"name"`
		Count  int    `json:"count"`
		Bytes  int64  `json:"bytes"`
		SHA256 string `json:"sha256"`
	} `json:"output"`
}

// checking is one check under way.
type checking struct {
	*target
	client         *s3.Client
	bucket, prefix string
	known          *known
	manifest       manifest
	upto           time.Time // transactionTime
	export         entry
	seen           map[string]bool // by Type/id
	report         report
}

// check holds an export against the journal. The error is about the reading; what is wrong stands in the report.
func check(ctx context.Context, t target, journal, folder string) (report, error) {
	c := &checking{target: &t, client: t.s3(), seen: map[string]bool{}}
	var err error
	if c.bucket, c.prefix, err = split(folder); err != nil {
		return c.report, err
	}
	if c.known, err = readKnown(journal); err != nil {
		return c.report, err
	}
	if err := c.begin(ctx); err != nil || c.report.problems > 0 {
		return c.report, err
	}
	if err := c.files(ctx); err != nil {
		return c.report, err
	}
	c.missing()
	return c.report, nil
}

// begin reads the manifest and finds the export in the journal.
func (c *checking) begin(ctx context.Context) error {
	out, err := c.open(ctx, "manifest.json")
	if err != nil {
		return fmt.Errorf("manifest.json: %w", err)
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &c.manifest); err != nil {
		return fmt.Errorf("manifest.json: %w", err)
	}
	if c.upto, err = instant(c.manifest.TransactionTime); err != nil {
		return fmt.Errorf("manifest.json: transactionTime: %w", err)
	}
	x, ok := c.known.exports[c.manifest.JobID]
	if !ok {
		return fmt.Errorf("the journal knows no export %q", c.manifest.JobID)
	}
	c.export = x
	return nil
}

func (c *checking) open(ctx context.Context, name string) (*s3.GetObjectOutput, error) {
	key := c.prefix + name
	return c.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &c.bucket, Key: &key})
}

var fileName = regexp.MustCompile(`^([A-Za-z]+)/([A-Za-z]+)-[0-9]+-[0-9]+-[0-9]+\.ndjson$`)

// files reads every object of the folder.
func (c *checking) files(ctx context.Context) error {
	named := map[string]int{}
	total := 0
	for i, f := range c.manifest.Output {
		named[f.Name] = i
		total += f.Count
	}
	if total != c.manifest.Count {
		c.report.wrong("manifest.json", "its files hold %d resources by their counts, %d by its total", total, c.manifest.Count)
	}
	pages := s3.NewListObjectsV2Paginator(c.client, &s3.ListObjectsV2Input{Bucket: &c.bucket, Prefix: &c.prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			name := strings.TrimPrefix(*o.Key, c.prefix)
			if name == "manifest.json" {
				continue
			}
			i, ok := named[name]
			if !ok {
				c.report.wrong(name, "the manifest does not name this file")
				continue
			}
			delete(named, name)
			if err := c.file(ctx, i); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for name := range named {
		c.report.wrong(name, "the manifest names this file, and it is not there")
	}
	return nil
}

// file reads one file of the manifest.
func (c *checking) file(ctx context.Context, i int) error {
	f := c.manifest.Output[i]
	if m := fileName.FindStringSubmatch(f.Name); m == nil || m[1] != f.Type || m[2] != f.Type {
		c.report.wrong(f.Name, "this is no name of a file of %s", f.Type)
	}
	out, err := c.open(ctx, f.Name)
	if err != nil {
		return err
	}
	defer out.Body.Close()
	if c.key != "" && (out.SSEKMSKeyId == nil || *out.SSEKMSKeyId != c.key || out.ServerSideEncryption != "aws:kms") {
		c.report.wrong(f.Name, "it is not encrypted under %s", c.key)
	}
	sum := sha256.New()
	lines, size := 0, int64(0)
	for in := bufio.NewReaderSize(io.TeeReader(out.Body, sum), 1<<20); ; {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return err
		}
		if len(line) > 0 {
			lines++
			size += int64(len(line))
			c.line(f.Name, f.Type, lines, line)
		}
		if err == io.EOF {
			break
		}
	}
	switch {
	case lines > maxLines:
		c.report.wrong(f.Name, "it holds %d resources", lines)
	case lines != f.Count || size != f.Bytes || hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		c.report.wrong(f.Name, "it is not what the manifest says of it: %d resources, %d bytes", lines, size)
	}
	return nil
}

// line holds one line against the journal.
func (c *checking) line(name, kind string, n int, b []byte) {
	if b[len(b)-1] != '\n' {
		c.report.wrong(name, "line %d does not end in a newline", n)
	}
	r, err := read(b)
	if err != nil {
		c.report.wrong(name, "line %d: %v", n, err)
		return
	}
	c.held(kind, name, n, r)
}

// held holds the resource of a line in a file of a type.
func (c *checking) held(kind, name string, n int, r resource) {
	which := r.kind + "/" + r.id
	h := c.known.resources[which]
	switch {
	case r.kind != kind:
		c.report.wrong(name, "line %d is a %s", n, r.kind)
		return
	case h == nil:
		c.report.wrong(name, "line %d: nobody wrote %s", n, which)
		return
	case c.seen[which]:
		c.report.wrong(name, "line %d: %s is doubled", n, which)
		return
	}
	c.seen[which] = true
	want, open, certain := h.asOf(c.upto, c.export)
	if !certain && c.may(r, want, open, h) {
		c.report.undecided++
		return
	}
	if problem := c.compare(r, want, h); problem != "" {
		c.report.wrong(name, "line %d: %s %s", n, which, problem)
		return
	}
	c.report.proved++
}

// compare says how a line differs from the version that must be there.
func (c *checking) compare(r resource, want *version, h *history) string {
	for _, v := range h.versions {
		if fmt.Sprint(v.number) == r.version && (want == nil || v.number > want.number) {
			return fmt.Sprintf("is version %s of %s, later than the export's %s", r.version, r.updated, c.manifest.TransactionTime)
		}
	}
	at, err := instant(r.updated)
	switch {
	case want == nil:
		return "had not been written yet"
	case want.deleted:
		return fmt.Sprintf("had been deleted (version %d)", want.number)
	case r.version != fmt.Sprint(want.number):
		return fmt.Sprintf("is version %s, and must be version %d", r.version, want.number)
	case want.updated != "" && r.updated != want.updated || err != nil || at.After(c.upto):
		return fmt.Sprintf("is of %q, and must be of %q", r.updated, want.updated)
	case r.sum != want.sum:
		return "is altered: its bytes are not those that were sent"
	}
	return ""
}

// may reports whether a line can be what an open write without an answer, or an import that was under way, has left: its
// bytes, as a version behind the acknowledged one that is shown, no later than the export's instant.
func (c *checking) may(r resource, want *version, open []entry, h *history) bool {
	after, from := 0, time.Time{}
	if want != nil {
		after, from = want.number, want.at
	}
	number, err := strconv.Atoi(r.version)
	if err != nil {
		return false
	}
	at, err := instant(r.updated)
	if err != nil || at.After(c.upto) || at.Before(from) {
		return false
	}
	for _, v := range h.versions {
		if v.number == number {
			_, sure := v.shown(c.upto, c.export) // an acknowledged one is itself, and nothing that was lost
			return !sure && v.sum == r.sum
		}
	}
	return number > after && number <= after+len(open) && slices.ContainsFunc(open, func(e entry) bool { return e.Sum == r.sum })
}

// absent reports whether a resource may be missing from the export: none was acknowledged, or a deletion without an answer
// may have been applied.
func absent(want *version, open []entry) bool {
	return want == nil || want.deleted || slices.ContainsFunc(open, func(e entry) bool { return e.Sum == "" })
}

// missing looks for resources that must be in the export and are not, and for what contradicts itself in the journal.
func (c *checking) missing() {
	for _, which := range slices.Sorted(maps.Keys(c.known.resources)) {
		h := c.known.resources[which]
		if problem := h.contradiction(); problem != "" {
			c.report.wrong("journal", "%s: %s", which, problem)
		}
		for _, v := range h.versions {
			if problem := v.early(c.upto, c.export); problem != "" {
				c.report.wrong("journal", "%s: %s", which, problem)
			}
		}
		want, open, certain := h.asOf(c.upto, c.export)
		switch {
		case c.seen[which]:
		case absent(want, open):
			if !certain {
				c.report.undecided++
			}
		default:
			c.report.wrong("manifest.json", "%s, version %d, is missing", which, want.number)
		}
	}
}
