package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"tarn/api/client"
	"tarn/fault"
)

const (
	manifestName = "manifest.json"
	maxManifest  = 16 << 20 // of which a page reads; a longer one goes without
	maxFiles     = 500      // that a page lists; the sums are over all
)

// output is what lies in the folder of an export.
type output struct {
	Files     []outputFile // the first ones
	More      int          // that are not listed
	Count     int          // without the manifest
	Bytes     int64        // as stored, without the manifest
	Resources int64        // by the manifest
	Types     []typeTotal  // by the manifest
	Manifest  bool         // there is one, and it can be read
	Note      string       // why the manifest could not be read
}

type outputFile struct {
	Name     string // below the folder
	Size     int64
	Modified time.Time
	Count    int64 // resources, by the manifest
}

type typeTotal struct {
	Type         string
	Files, Count int64
	Bytes        int64
}

// outputOf lists a folder and reads its manifest.
func outputOf(ctx context.Context, api *client.Client, bucket, folder string) (*output, error) {
	out := &output{}
	counts := out.readManifest(ctx, api, bucket, folder)
	for o, err := range api.Objects(ctx, bucket, folder) {
		if err != nil {
			return nil, err
		}
		if o.Key != folder+manifestName { // which is listed, but is no file of resources
			out.Count++
			out.Bytes += o.Size
		}
		if len(out.Files) == maxFiles {
			out.More++
			continue
		}
		name := strings.TrimPrefix(o.Key, folder)
		out.Files = append(out.Files, outputFile{name, o.Size, o.LastModified, counts[name]})
	}
	return out, nil
}

// readManifest takes the sums from the manifest, where there is one that can be read, and gives the number of resources
// of each file.
func (out *output) readManifest(ctx context.Context, api *client.Client, bucket, folder string) map[string]int64 {
	var m struct {
		Count  int64
		Types  []typeTotal
		Output []struct {
			Name  string
			Count int64
		}
	}
	body, err := api.GetObject(ctx, bucket, folder+manifestName)
	if err == nil {
		var raw []byte
		raw, err = io.ReadAll(io.LimitReader(body, maxManifest))
		if err = errors.Join(err, body.Close()); err == nil {
			if json.Unmarshal(raw, &m) != nil {
				err = fault.Errorf(fault.Invalid, "console", "The manifest cannot be read.")
			}
		}
	}
	switch {
	case fault.Is(err, fault.NotFound):
		out.Note = "The folder has no manifest."
		return nil
	case err != nil:
		out.Note = "Counts of resources are missing: " + problemOf(err).Text
		return nil
	}
	out.Manifest, out.Resources, out.Types = true, m.Count, m.Types
	counts := map[string]int64{}
	for _, f := range m.Output {
		counts[f.Name] = f.Count
	}
	return counts
}

// splitURI is bucket and prefix of s3://bucket/prefix.
func splitURI(uri string) (bucket, prefix string) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	if !ok {
		return "", ""
	}
	bucket, prefix, _ = strings.Cut(rest, "/")
	return bucket, prefix
}
