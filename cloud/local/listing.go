package local

import (
	"context"
	"strconv"
	"strings"
	"time"

	"tarn/kv"
)

// ListRequest says which objects are listed.
type ListRequest struct {
	Bucket, Prefix, Delimiter string
	After                     string // the names after this one: a key, or a common prefix, with all that is below it
	Max                       int    // entries in a page; 1,000 at most
}

// Listing is a page of names in bytewise order. A common prefix stands for all names below it.
type Listing struct {
	Objects   []ListedObject
	Prefixes  []string
	Truncated bool
	Next      string // the last name of a page that is not the last
}

// ListedObject is one entry of a listing.
type ListedObject struct {
	Key       string
	Size      int64
	ETag      string
	Modified  time.Time
	Algorithm string // of its checksum, or empty
	SumType   string
}

// ListObjects lists a page of a bucket. A common prefix costs one step, however much lies below it. (s3:ListBucket)
func (s *Session) ListObjects(ctx context.Context, r ListRequest) (Listing, error) {
	rec, err := s.open(ctx, r.Bucket, "s3:ListBucket", conditions{"s3:prefix", r.Prefix, "s3:delimiter", r.Delimiter, "s3:max-keys", strconv.Itoa(r.Max)})
	if err != nil {
		return Listing{}, err
	}
	var page Listing
	if r.Max <= 0 || len(r.Prefix) > MaxObjectKey {
		return page, nil
	}
	err = s.c.read(ctx, func(reader kv.Reader) error {
		return fill(ctx, reader, rec.Number, r, &page)
	})
	return page, err
}

func fill(ctx context.Context, reader kv.Reader, number uint32, r ListRequest, page *Listing) error {
	base := len(objectRow(number, ""))
	it := reader.Scan(ctx, kv.Prefix(objectRow(number, r.Prefix)))
	ok := it.Next()
	if r.After != "" && r.After >= r.Prefix {
		from := objectRow(number, r.After+"\x00")
		if r.Delimiter != "" && strings.HasPrefix(r.After, r.Prefix) && strings.HasSuffix(r.After, r.Delimiter) && len(r.After) > len(r.Prefix) {
			from = kv.PrefixEnd(objectRow(number, r.After))
		}
		if len(from) > kv.MaxKey {
			from = from[:kv.MaxKey]
		}
		ok = ok && it.Seek(from)
	}
	for ok {
		key := string(it.Key()[base:])
		if len(page.Objects)+len(page.Prefixes) == r.Max {
			page.Truncated = true
			break
		}
		if common, found := commonPrefix(key, r.Prefix, r.Delimiter); found {
			page.Prefixes = append(page.Prefixes, common)
			page.Next = common
			end := kv.PrefixEnd(objectRow(number, common))
			ok = end != nil && it.Seek(end)
			continue
		}
		o, err := decode[objectRecord](it.Value())
		if err != nil {
			_ = it.Close()
			return err
		}
		entry := ListedObject{Key: key, Size: o.Size, ETag: o.ETag, Modified: o.Modified, SumType: o.SumType}
		for algorithm := range o.Sums {
			entry.Algorithm = algorithm
		}
		page.Objects = append(page.Objects, entry)
		page.Next = key
		ok = it.Next()
	}
	err := it.Err()
	if cerr := it.Close(); err == nil {
		err = cerr
	}
	return err
}

func commonPrefix(key, prefix, delimiter string) (string, bool) {
	if delimiter == "" {
		return "", false
	}
	i := strings.Index(key[len(prefix):], delimiter)
	if i < 0 {
		return "", false
	}
	return key[:len(prefix)+i+len(delimiter)], true
}
