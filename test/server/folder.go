package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Manifest is what manifest.json of an export says, as its documentation has it.
type Manifest struct {
	JobID           string `json:"jobId"`
	DatastoreID     string `json:"datastoreId"`
	TxID            uint64 `json:"txId"`
	TransactionTime string `json:"transactionTime"`
	KMSKeyID        string `json:"kmsKeyId"`
	Count           int    `json:"count"`
	Output          []File `json:"output"`
	Deleted         []File `json:"deleted"`
}

// Files are those of all its lists.
func (m *Manifest) Files() []File { return slices.Concat(m.Output, m.Deleted) }

// File is one file of an export.
type File struct {
	Type   string `json:"type"`
	Name   string `json:"name"`
	Count  int    `json:"count"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`

	Continues string `json:"continuesInFile"`
}

// SplitURI parts s3://bucket/key.
func SplitURI(t testing.TB, uri string) (bucket, key string) {
	t.Helper()
	rest, ok := strings.CutPrefix(uri, "s3://")
	bucket, key, _ = strings.Cut(rest, "/")
	if !ok || bucket == "" {
		t.Fatalf("%q is no S3 URI", uri)
	}
	return bucket, key
}

// Objects lists everything below a prefix.
func (c *Clients) Objects(t testing.TB, bucket, prefix string) []s3types.Object {
	t.Helper()
	var all []s3types.Object
	pages := s3.NewListObjectsV2Paginator(c.S3, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		must(t, err)
		all = append(all, page.Contents...)
	}
	return all
}

// Get reads an object whole.
func (c *Clients) Get(t testing.TB, bucket, key string) ([]byte, *s3.GetObjectOutput) {
	t.Helper()
	out, err := c.S3.GetObject(context.Background(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	must(t, err)
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	must(t, err)
	return b, out
}

// Put writes an object.
func (c *Clients) Put(t testing.TB, bucket, key string, body []byte) {
	t.Helper()
	_, err := c.S3.PutObject(context.Background(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(body)})
	must(t, err)
}

// Folder reads an export whole, name below the folder -> bytes, and its manifest. What manifest and folder say of each
// other must agree, each file must be encrypted under the manifest's key and hold at most 5,000 lines.
func (c *Clients) Folder(t testing.TB, uri string) (Manifest, map[string][]byte) {
	t.Helper()
	bucket, prefix := SplitURI(t, uri)
	files := map[string][]byte{}
	keys := map[string]string{}
	for _, o := range c.Objects(t, bucket, prefix) {
		b, out := c.Get(t, bucket, *o.Key)
		name := strings.TrimPrefix(*o.Key, prefix)
		files[name] = b
		if out.SSEKMSKeyId != nil && out.ServerSideEncryption == s3types.ServerSideEncryptionAwsKms {
			keys[name] = *out.SSEKMSKeyId
		}
	}
	var m Manifest
	must(t, json.Unmarshal(files["manifest.json"], &m))
	named := m.Files()
	if len(named) != len(files)-1 {
		t.Errorf("the manifest names %d files, the folder holds %d besides it", len(named), len(files)-1)
	}
	for _, f := range named {
		b := files[f.Name]
		sum := sha256.Sum256(b)
		lines := bytes.Count(b, []byte{'\n'})
		switch {
		case lines != f.Count || int64(len(b)) != f.Bytes || hex.EncodeToString(sum[:]) != f.SHA256:
			t.Errorf("%s is not what the manifest says of it", f.Name)
		case lines < 1 || lines > 5000:
			t.Errorf("%s holds %d lines", f.Name, lines)
		case keys[f.Name] != m.KMSKeyID:
			t.Errorf("%s is encrypted under %q, not %s", f.Name, keys[f.Name], m.KMSKeyID)
		}
	}
	return m, files
}
