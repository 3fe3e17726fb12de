package client

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tarn/fault"
)

// CreateBucket makes a bucket in the client's Region.
func (c *Client) CreateBucket(ctx context.Context, name string) error {
	var body []byte
	if c.cfg.Region != "us-east-1" {
		body = []byte("<CreateBucketConfiguration><LocationConstraint>" + c.cfg.Region + "</LocationConstraint></CreateBucketConfiguration>")
	}
	return c.putSetting(ctx, name, "", body)
}

// BlockPublicAccess turns on all four options of a bucket.
func (c *Client) BlockPublicAccess(ctx context.Context, name string) error {
	return c.putSetting(ctx, name, "publicAccessBlock", []byte("<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>"+
		"<BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>"))
}

// EncryptBucket makes a KMS key the bucket's default encryption.
func (c *Client) EncryptBucket(ctx context.Context, name, keyID string) error {
	var id bytes.Buffer
	if err := xml.EscapeText(&id, []byte(keyID)); err != nil {
		return fault.Wrap("client", err)
	}
	return c.putSetting(ctx, name, "encryption", []byte("<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>"+
		"<KMSMasterKeyID>"+id.String()+"</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"))
}

func (c *Client) putSetting(ctx context.Context, bucket, setting string, body []byte) error {
	k := call{service: "s3", method: http.MethodPut, path: "/" + bucket, body: bytes.NewReader(body), size: int64(len(body))}
	if setting != "" {
		k.query = url.Values{setting: {""}}
	}
	resp, err := c.do(ctx, k)
	if err != nil {
		return err
	}
	return decode(resp, nil, nil)
}

// ListBuckets is the names of all buckets.
func (c *Client) ListBuckets(ctx context.Context) ([]string, error) {
	resp, err := c.do(ctx, call{service: "s3", method: http.MethodGet, path: "/"})
	if err != nil {
		return nil, err
	}
	var out struct {
		Buckets struct {
			Bucket []struct{ Name string }
		}
	}
	if err := decode(resp, &out, xml.Unmarshal); err != nil {
		return nil, err
	}
	var names []string
	for _, b := range out.Buckets.Bucket {
		names = append(names, b.Name)
	}
	return names, nil
}

// PutObject writes an object under the bucket's default encryption. The body is read twice.
func (c *Client) PutObject(ctx context.Context, bucket, key string, body io.ReadSeeker, size int64) error {
	resp, err := c.do(ctx, call{service: "s3", method: http.MethodPut, path: "/" + bucket + "/" + key, body: body, size: size})
	if err != nil {
		return err
	}
	return decode(resp, nil, nil)
}

// GetObject reads an object. Whoever gets the reader closes it; no such object is fault.NotFound.
func (c *Client) GetObject(ctx context.Context, bucket, key string) (io.ReadCloser, error) {
	resp, err := c.do(ctx, call{service: "s3", method: http.MethodGet, path: "/" + bucket + "/" + key})
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// DeleteObject removes an object. It is no error that there is none.
func (c *Client) DeleteObject(ctx context.Context, bucket, key string) error {
	resp, err := c.do(ctx, call{service: "s3", method: http.MethodDelete, path: "/" + bucket + "/" + key})
	if err != nil {
		return err
	}
	return decode(resp, nil, nil)
}

// Object is one entry of a listing.
type Object struct {
	Key          string
	Size         int64
	LastModified time.Time
}

// Objects yields the objects below a prefix in the order of their keys.
func (c *Client) Objects(ctx context.Context, bucket, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		token := ""
		for {
			q := url.Values{"list-type": {"2"}, "prefix": {prefix}, "max-keys": {strconv.Itoa(1000)}}
			if token != "" {
				q.Set("continuation-token", token)
			}
			var out struct {
				Contents              []Object
				NextContinuationToken string
			}
			resp, err := c.do(ctx, call{service: "s3", method: http.MethodGet, path: "/" + bucket, query: q})
			if err == nil {
				err = decode(resp, &out, xml.Unmarshal)
			}
			if err != nil {
				yield(Object{}, err)
				return
			}
			for _, o := range out.Contents {
				if !yield(o, nil) {
					return
				}
			}
			if token = out.NextContinuationToken; token == "" {
				return
			}
		}
	}
}

// Folder is the part of a bucket below a prefix, as export.Verify reads it.
type Folder struct {
	Client *Client
	Bucket string
	Prefix string // empty or ending in a slash
}

// Open reads the object of that name below the folder.
func (f Folder) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	return f.Client.GetObject(ctx, f.Bucket, f.Prefix+name)
}

// Names yields the names of all objects below the folder.
func (f Folder) Names(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for o, err := range f.Client.Objects(ctx, f.Bucket, f.Prefix) {
			if err != nil {
				yield("", err)
				return
			}
			if !yield(o.Key[len(f.Prefix):], nil) {
				return
			}
		}
	}
}

// BucketExists reports whether there is a bucket of that name that the caller may look at.
func (c *Client) BucketExists(ctx context.Context, name string) (bool, error) {
	resp, err := c.do(ctx, call{service: "s3", method: http.MethodHead, path: "/" + name})
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, resp.Body.Close()
}
