package local

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/fnv"
	"iter"

	"tarn/fault"
	"tarn/kv"
)

// Rows in the system space. NUM is the bucket's number in 4 bytes, so that long object keys still fit.
//
//	buckets/n/NAME            bucketRecord
//	buckets/next              the number of the next bucket
//	buckets/g/NUM byte        never written: the gates of a bucket (see gate)
//	objects/o/NUM KEY         objectRecord
//	objects/u/NUM UPLOAD      uploadRecord; UPLOAD is 16 bytes
//	objects/p/UPLOAD PART     partRecord; PART is 2 bytes
//	keys/k/UUID               keyRecord
//	keys/a/NAME               aliasRecord; NAME begins with alias/
//	keys/service              sealed key of SSE-S3
const (
	rowBucket  = "buckets/n/"
	rowNext    = "buckets/next"
	rowGate    = "buckets/g/"
	rowObject  = "objects/o/"
	rowUpload  = "objects/u/"
	rowPart    = "objects/p/"
	rowKey     = "keys/k/"
	rowAlias   = "keys/a/"
	rowService = "keys/service"

	// MaxObjectKey is the longest name of an object in bytes. S3 allows 1,024; here the row's prefix takes its share
	// of the longest key that every engine can hold.
	MaxObjectKey = 1000

	gates = 64
)

func bucketRow(name string) []byte { return []byte(rowBucket + name) }

func numbered(prefix string, num uint32, tail string) []byte {
	k := make([]byte, 0, len(prefix)+4+len(tail))
	k = append(k, prefix...)
	k = binary.BigEndian.AppendUint32(k, num)
	return append(k, tail...)
}

func objectRow(num uint32, key string) []byte { return numbered(rowObject, num, key) }

func uploadRow(num uint32, id bodyID) []byte { return numbered(rowUpload, num, string(id[:])) }

func partPrefix(id bodyID) []byte { return append([]byte(rowPart), id[:]...) }

func partRow(id bodyID, part int) []byte {
	return binary.BigEndian.AppendUint16(partPrefix(id), uint16(part))
}

// gate is the row that a write to an object locks. Writes to different objects seldom share one; deleting a bucket locks
// all, so that no object can slip into a bucket while it goes.
func gate(num uint32, key string) []byte {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return gateRow(num, byte(h.Sum32()%gates))
}

func gateRow(num uint32, i byte) []byte { return append(numbered(rowGate, num, ""), i) }

func allGates(num uint32) [][]byte {
	rows := make([][]byte, gates)
	for i := range rows {
		rows[i] = gateRow(num, byte(i))
	}
	return rows
}

// encode is a record as it lies in a row: JSON, so that fields can come and go.
func encode(record any) []byte {
	data, err := json.Marshal(record)
	if err != nil { // no record holds what JSON cannot
		return nil
	}
	return data
}

func decode[T any](data []byte) (*T, error) {
	record := new(T)
	if err := json.Unmarshal(data, record); err != nil {
		return nil, fault.Errorf(fault.Internal, "local.decode", "a record of the cloud cannot be read: %w", err)
	}
	return record, nil
}

// load reads one record; nil where there is none.
func load[T any](ctx context.Context, r kv.Reader, row []byte) (*T, error) {
	values, err := r.Get(ctx, row)
	if err != nil || values[0] == nil {
		return nil, err
	}
	return decode[T](values[0])
}

// fetch is load outside of an Update.
func fetch[T any](ctx context.Context, c *Cloud, row []byte) (record *T, err error) {
	err = c.read(ctx, func(r kv.Reader) error {
		record, err = load[T](ctx, r, row)
		return err
	})
	return record, err
}

// read shows fn one consistent state.
func (c *Cloud) read(ctx context.Context, fn func(kv.Reader) error) (err error) {
	snap, err := c.space.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := snap.Close(); err == nil {
			err = cerr
		}
	}()
	return fn(snap)
}

// scan yields the rows of a range in order; keys and values are valid until the next.
func scan(ctx context.Context, r kv.Reader, rg kv.Range) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		it := r.Scan(ctx, rg)
		for it.Next() {
			if !yield(kv.Entry{Key: it.Key(), Value: it.Value()}, nil) {
				_ = it.Close()
				return
			}
		}
		if err := errors.Join(it.Err(), it.Close()); err != nil {
			yield(kv.Entry{}, err)
		}
	}
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (l *bodyList) UnmarshalJSON(data []byte) error {
	var packed []byte
	if err := json.Unmarshal(data, &packed); err != nil {
		return err
	}
	for len(packed) > 0 {
		var x body
		if len(packed) < len(x.ID) {
			return errors.New("a list of bodies ends early")
		}
		packed = packed[copy(x.ID[:], packed):]
		size, n := binary.Uvarint(packed)
		if n <= 0 {
			return errors.New("a list of bodies ends early")
		}
		x.Size, packed = int64(size), packed[n:]
		*l = append(*l, x)
	}
	return nil
}

// bodyList is the files of an object, packed so that 10,000 parts fit into one row.
type bodyList []body

// MarshalJSON packs the list.
func (l bodyList) MarshalJSON() ([]byte, error) {
	packed := make([]byte, 0, len(l)*21)
	for _, x := range l {
		packed = append(packed, x.ID[:]...)
		packed = binary.AppendUvarint(packed, uint64(x.Size))
	}
	return json.Marshal(packed)
}
