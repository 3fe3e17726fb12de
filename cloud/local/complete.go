package local

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// CompleteRequest names the parts that make the object, in ascending order.
type CompleteRequest struct {
	Bucket, Key, Upload string
	Parts               []Part // Number and ETag; Sum where the caller has it
	Checksum            Checksum
	IfMatch             string
	IfNoneMatch         bool
}

// CompleteUpload makes the object of its parts without touching their bytes. (s3:PutObject; kms:Decrypt under SSEKMS)
func (s *Session) CompleteUpload(ctx context.Context, r CompleteRequest) (ObjectInfo, error) {
	rec, id, u, err := s.findUpload(ctx, r.Bucket, r.Key, r.Upload, "s3:PutObject")
	if err != nil {
		return ObjectInfo{}, err
	}
	if _, err := s.dataKey(ctx, &u.Sealing, s.c.objectARN(r.Bucket, r.Key)); err != nil {
		return ObjectInfo{}, err
	}
	if len(r.Parts) == 0 || len(r.Parts) > MaxParts {
		return ObjectInfo{}, s3Error(fault.Invalid, "MalformedXML", "You must specify at least one part, and at most %d", MaxParts)
	}
	o := &objectRecord{Format: 1, Modified: s.c.now().UTC().Truncate(time.Millisecond), Headers: u.Headers, Sealing: u.Sealing, Parts: len(r.Parts)}
	var left []bodyList // of parts that were not named
	err = s.c.commit(ctx, rec, r.Key, o, precondition{r.IfMatch, r.IfNoneMatch}, func(tx kv.Locked, b *kv.Batch) error {
		values, err := tx.Get(ctx, uploadRow(rec.Number, id))
		if err != nil {
			return err
		}
		if values[0] == nil {
			return noSuchUpload()
		}
		parts, err := readParts(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := assemble(o, u, parts, r); err != nil {
			return err
		}
		for _, p := range parts {
			left = append(left, p.Body)
		}
		endUpload(b, rec.Number, id)
		return nil
	})
	if err != nil {
		return ObjectInfo{}, err
	}
	for _, l := range left {
		s.c.bodies.remove(rec.Name, l)
	}
	return s.c.info(r.Bucket, r.Key, o), nil
}

// assemble fills an object's record from the parts that the request names, and takes these from parts.
func assemble(o *objectRecord, u *uploadRecord, parts map[int]*partRecord, r CompleteRequest) error {
	tags := md5.New()
	var sums [][]byte
	for i, want := range r.Parts {
		p := parts[want.Number]
		switch {
		case i > 0 && want.Number <= r.Parts[i-1].Number:
			return s3Error(fault.Invalid, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
		case p == nil || p.ETag != want.ETag || want.Sum != "" && p.Sum != "" && want.Sum != p.Sum:
			return s3Error(fault.Invalid, "InvalidPart", "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
		case i < len(r.Parts)-1 && p.Size < minPart:
			return s3Error(fault.Invalid, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		delete(parts, want.Number)
		tag, _ := hex.DecodeString(p.ETag)
		tags.Write(tag)
		if raw, err := base64.StdEncoding.DecodeString(p.Sum); err == nil {
			sums = append(sums, raw)
		}
		o.Size += p.Size
		if len(p.Body) == 0 { // an empty part keeps its place by an empty body
			p.Body = bodyList{{ID: newBodyID()}}
		}
		o.Bodies = append(o.Bodies, p.Body...)
	}
	if o.Size > maxObject {
		return s3Error(fault.TooLarge, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
	}
	n := strconv.Itoa(len(r.Parts))
	o.ETag = hex.EncodeToString(tags.Sum(nil)) + "-" + n
	if u.Algorithm == "" || len(sums) != len(r.Parts) {
		return nil
	}
	sum := ""
	if u.SumType == compositeOf {
		h := newChecksum(u.Algorithm)
		for _, raw := range sums {
			h.Write(raw)
		}
		sum = b64(h.Sum(nil)) + "-" + n
	} else {
		sum = b64(combine(u.Algorithm, sums, o.Bodies))
	}
	if want := r.Checksum.Value; want != "" && want != sum && want+"-"+n != sum {
		return s3Error(fault.Invalid, "BadDigest", "The %s you specified did not match the calculated checksum.", u.Algorithm)
	}
	o.Sums, o.SumType = map[string]string{u.Algorithm: sum}, u.SumType
	return nil
}
