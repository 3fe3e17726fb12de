package local

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// Bounds of multipart uploads, as S3 has them.
const (
	MaxParts    = 10_000
	minPart     = 5 << 20            // bytes of every part but the last
	uploadLives = 7 * 24 * time.Hour // after which Sweep aborts an upload that nobody completed
	maxObject   = int64(5) << 40     // bytes
	compositeOf = "COMPOSITE"        // a checksum of the parts' checksums
	fullObject  = "FULL_OBJECT"      // a checksum of the whole
	sumless     = "CRC64NVME"        // the only algorithm that knows no COMPOSITE
)

// uploadRecord is a multipart upload as it lies in its row. Its parts share one data key.
type uploadRecord struct {
	Bucket, Key string
	Started     time.Time
	Headers
	Sealing   sealing
	Algorithm string `json:",omitempty"` // of the parts' checksums
	SumType   string `json:",omitempty"`
}

// partRecord is a part as it lies in its row.
type partRecord struct {
	Body     bodyList
	Size     int64
	ETag     string
	Sum      string `json:",omitempty"`
	Modified time.Time
}

// Upload is what S3 tells of a multipart upload.
type Upload struct {
	ID, Key   string
	Started   time.Time
	SSE       string
	KMSKeyARN string
	Algorithm string // of the checksums, or empty
	SumType   string
}

// Part is what S3 tells of a part.
type Part struct {
	Number    int
	Size      int64
	ETag      string // without quotes
	Algorithm string // of Sum, or empty
	Sum       string
	Modified  time.Time
}

func (c *Cloud) upload(id bodyID, u *uploadRecord) Upload {
	up := Upload{ID: id.String(), Key: u.Key, Started: u.Started, SSE: u.Sealing.Algorithm, Algorithm: u.Algorithm, SumType: u.SumType}
	if u.Sealing.KeyID != "" {
		up.KMSKeyARN = c.keyARN(u.Sealing.KeyID)
	}
	return up
}

// CreateUpload begins a multipart upload. Of r, Body, Size, MD5, SHA256 and the conditions do not count; of Checksum
// the algorithm does. (s3:PutObject; kms:GenerateDataKey under SSEKMS)
func (s *Session) CreateUpload(ctx context.Context, r PutRequest, sumType string) (Upload, error) {
	rec, err := s.mayPut(ctx, r.Bucket, r.Key, r.SSE, r.ACL)
	if err != nil {
		return Upload{}, err
	}
	if _, err := r.Checksum.start(); err != nil {
		return Upload{}, err
	}
	switch {
	case r.Checksum.Algorithm == "":
		sumType = ""
	case sumType == "" && r.Checksum.Algorithm == sumless:
		sumType = fullObject
	case sumType == "":
		sumType = compositeOf
	case sumType != fullObject && sumType != compositeOf,
		sumType == compositeOf && r.Checksum.Algorithm == sumless,
		sumType == fullObject && strings.HasPrefix(r.Checksum.Algorithm, "SHA"):
		return Upload{}, s3Error(fault.Invalid, "InvalidRequest", "The %s checksum type cannot be used with the %s checksum algorithm.", sumType, r.Checksum.Algorithm)
	}
	z, _, err := s.newDataKey(ctx, rec, s.c.objectARN(r.Bucket, r.Key), r.SSE)
	if err != nil {
		return Upload{}, err
	}
	u := &uploadRecord{Bucket: r.Bucket, Key: r.Key, Started: s.c.now().UTC().Truncate(time.Millisecond), Headers: r.Headers,
		Sealing: z, Algorithm: r.Checksum.Algorithm, SumType: sumType}
	id := newBodyID()
	err = s.c.space.Update(ctx, [][]byte{gate(rec.Number, r.Key)}, func(tx kv.Locked) (*kv.Batch, error) {
		values, err := tx.Get(ctx, bucketRow(r.Bucket))
		if err != nil {
			return nil, err
		}
		if err := s.c.stillThere(rec, values[0]); err != nil {
			return nil, err
		}
		b := new(kv.Batch)
		b.Set(uploadRow(rec.Number, id), encode(u))
		return b, nil
	})
	return s.c.upload(id, u), err
}

// findUpload decides on an action and reads the upload's record.
func (s *Session) findUpload(ctx context.Context, bucket, key, upload, action string) (*bucketRecord, bodyID, *uploadRecord, error) {
	arn := s.c.objectARN(bucket, key)
	var id bodyID
	rec, err := s.seek(ctx, bucket, action, arn)
	if err != nil {
		return nil, id, nil, err
	}
	if err := s.decideS3(rec, action, arn, nil); err != nil {
		return nil, id, nil, err
	}
	raw, err := hex.DecodeString(upload)
	if err != nil || len(raw) != len(id) {
		return nil, id, nil, noSuchUpload()
	}
	copy(id[:], raw)
	u, err := fetch[uploadRecord](ctx, s.c, uploadRow(rec.Number, id))
	if err != nil {
		return nil, id, nil, err
	}
	if u == nil || u.Key != key {
		return nil, id, nil, noSuchUpload()
	}
	return rec, id, u, nil
}

func noSuchUpload() error {
	return s3Error(fault.NotFound, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
}

// PartRequest is one part.
type PartRequest struct {
	Bucket, Key, Upload string
	Number              int // from 1
	Body                io.Reader
	Size                int64
	MD5                 []byte
	Checksum            Checksum
}

// UploadPart makes or replaces a part, durably. (s3:PutObject; kms:Decrypt under SSEKMS)
func (s *Session) UploadPart(ctx context.Context, r PartRequest) (Part, error) {
	if r.Number < 1 || r.Number > MaxParts {
		return Part{}, s3Error(fault.Invalid, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	if r.Size > MaxPut {
		return Part{}, s3Error(fault.TooLarge, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size of %d bytes", MaxPut)
	}
	rec, id, u, err := s.findUpload(ctx, r.Bucket, r.Key, r.Upload, "s3:PutObject")
	if err != nil {
		return Part{}, err
	}
	switch {
	case r.Checksum.Algorithm == "" && u.Algorithm != "":
		r.Checksum.Algorithm = u.Algorithm
	case u.Algorithm != "" && r.Checksum.Algorithm != u.Algorithm:
		return Part{}, s3Error(fault.Invalid, "InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s", u.Algorithm, r.Checksum.Algorithm)
	}
	dataKey, err := s.dataKey(ctx, &u.Sealing, s.c.objectARN(r.Bucket, r.Key))
	if err != nil {
		return Part{}, err
	}
	w, err := s.c.write(ctx, writing{bucket: r.Bucket, body: r.Body, size: r.Size, dataKey: dataKey, md5: r.MD5, checksum: r.Checksum,
		needMD5: u.Sealing.Algorithm == SSES3})
	if err != nil {
		return Part{}, err
	}
	p := &partRecord{Body: w.bodies, Size: w.size, Sum: w.sums[u.Algorithm], Modified: s.c.now().UTC().Truncate(time.Millisecond)}
	if w.md5 != nil {
		p.ETag = hex.EncodeToString(w.md5)
	} else {
		p.ETag = hex.EncodeToString(randomBytes(16))
	}
	err = s.c.commitPart(ctx, rec, id, r.Number, p, u.Key)
	return Part{Number: r.Number, Size: p.Size, ETag: p.ETag, Algorithm: r.Checksum.Algorithm, Sum: w.sums[r.Checksum.Algorithm], Modified: p.Modified}, err
}

func (c *Cloud) commitPart(ctx context.Context, rec *bucketRecord, id bodyID, number int, p *partRecord, key string) error {
	row := partRow(id, number)
	var old *partRecord
	handed := false
	err := c.space.Update(ctx, [][]byte{gate(rec.Number, key)}, func(tx kv.Locked) (*kv.Batch, error) {
		values, err := tx.Get(ctx, uploadRow(rec.Number, id), row)
		if err != nil {
			return nil, err
		}
		if values[0] == nil {
			return nil, noSuchUpload()
		}
		if values[1] != nil {
			if old, err = decode[partRecord](values[1]); err != nil {
				return nil, err
			}
		}
		b := new(kv.Batch)
		b.Set(row, encode(p))
		handed = true
		return b, nil
	})
	for _, x := range p.Body {
		if err != nil && !handed {
			c.bodies.drop(rec.Name, x.ID)
		}
		c.bodies.settle(x.ID)
	}
	if err == nil && old != nil {
		c.bodies.remove(rec.Name, old.Body)
	}
	return err
}

// ListParts lists the parts after a number. (s3:ListMultipartUploadParts)
func (s *Session) ListParts(ctx context.Context, bucket, key, upload string, after, limit int) (Upload, []Part, bool, error) {
	_, id, u, err := s.findUpload(ctx, bucket, key, upload, "s3:ListMultipartUploadParts")
	if err != nil {
		return Upload{}, nil, false, err
	}
	var list []Part
	more := false
	err = s.c.read(ctx, func(r kv.Reader) error {
		rg := kv.Prefix(partPrefix(id))
		rg.Start = partRow(id, min(max(after, 0), MaxParts)+1)
		for row, err := range scan(ctx, r, rg) {
			if err != nil {
				return err
			}
			if len(list) == limit {
				more = true
				return nil
			}
			p, err := decode[partRecord](row.Value)
			if err != nil {
				return err
			}
			list = append(list, Part{Number: partNumber(row.Key), Size: p.Size, ETag: p.ETag, Algorithm: u.Algorithm, Sum: p.Sum, Modified: p.Modified})
		}
		return nil
	})
	return s.c.upload(id, u), list, more, err
}

func partNumber(row []byte) int { return int(binary.BigEndian.Uint16(row[len(row)-2:])) }

// ListUploads lists the uploads that are under way below a prefix, in the order of their keys and ids.
// (s3:ListBucketMultipartUploads)
func (s *Session) ListUploads(ctx context.Context, bucket, prefix string) ([]Upload, error) {
	rec, err := s.open(ctx, bucket, "s3:ListBucketMultipartUploads", conditions{"s3:prefix", prefix})
	if err != nil {
		return nil, err
	}
	var all []Upload
	err = s.c.read(ctx, func(r kv.Reader) error {
		for row, err := range scan(ctx, r, kv.Prefix(numbered(rowUpload, rec.Number, ""))) {
			if err != nil {
				return err
			}
			u, err := decode[uploadRecord](row.Value)
			if err != nil {
				return err
			}
			var id bodyID
			copy(id[:], row.Key[len(row.Key)-len(id):])
			if strings.HasPrefix(u.Key, prefix) {
				all = append(all, s.c.upload(id, u))
			}
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b Upload) int {
		if d := strings.Compare(a.Key, b.Key); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all, err
}

// AbortUpload ends an upload and removes its parts. (s3:AbortMultipartUpload)
func (s *Session) AbortUpload(ctx context.Context, bucket, key, upload string) error {
	rec, id, u, err := s.findUpload(ctx, bucket, key, upload, "s3:AbortMultipartUpload")
	if err != nil {
		return err
	}
	return s.c.abort(ctx, rec.Name, rec.Number, id, u.Key)
}

func (c *Cloud) abort(ctx context.Context, bucket string, number uint32, id bodyID, key string) error {
	var parts map[int]*partRecord
	err := c.space.Update(ctx, [][]byte{gate(number, key)}, func(tx kv.Locked) (b *kv.Batch, err error) {
		values, err := tx.Get(ctx, uploadRow(number, id))
		if err != nil {
			return nil, err
		}
		if values[0] == nil {
			return nil, noSuchUpload()
		}
		if parts, err = readParts(ctx, tx, id); err != nil {
			return nil, err
		}
		b = new(kv.Batch)
		endUpload(b, number, id)
		return b, nil
	})
	if err == nil {
		for _, p := range parts {
			c.bodies.remove(bucket, p.Body)
		}
	}
	return err
}

func endUpload(b *kv.Batch, number uint32, id bodyID) {
	b.Delete(uploadRow(number, id))
	b.DeleteRange(partPrefix(id), kv.PrefixEnd(partPrefix(id)))
}

func readParts(ctx context.Context, r kv.Reader, id bodyID) (map[int]*partRecord, error) {
	parts := map[int]*partRecord{}
	for row, err := range scan(ctx, r, kv.Prefix(partPrefix(id))) {
		if err != nil {
			return nil, err
		}
		if parts[partNumber(row.Key)], err = decode[partRecord](row.Value); err != nil {
			return nil, err
		}
	}
	return parts, nil
}
