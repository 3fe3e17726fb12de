package export

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"

	"tarn/fault"
	"tarn/ndjson"
	"tarn/store"
)

// File is one written object: what the manifest says of it.
type File struct {
	Type   string `json:"type"`
	Name   string `json:"name"` // below the job's folder: Patient/Patient-971340731094998775-0-0.ndjson
	Count  int    `json:"count"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // of the plain bytes, lower-case hexadecimal
}

// jobNumber is the number in a job's file names: 63 bits of the SHA-256 of its id.
func jobNumber(jobID string) uint64 {
	sum := sha256.Sum256([]byte(jobID))
	return binary.BigEndian.Uint64(sum[:8]) >> 1
}

// fileName is the name of a part's n-th file below the job's folder.
func fileName(number uint64, p Part, file int) string {
	t := p.Type.String()
	return fmt.Sprintf("%s/%s-%d-%d-%d.ndjson", t, t, number, p.N, file)
}

// sink takes the bytes of one file after the other. The slice given to write belongs to the store: it is valid only
// during the call.
type sink interface {
	write(line []byte) error
	// finish ends a file; the next write begins another. sum is the SHA-256 of all that was written.
	finish(f File, sum []byte) error
}

// writePart sends the lines of a part, as of the view, to out, cut into files by lines and bytes, and returns what the
// files are.
func writePart(ctx context.Context, v *store.View, j Job, number uint64, p Part, out sink) (files []File, err error) {
	scan := v.Scan(ctx, p.Type, p.From, p.To)
	defer func() { err = errors.Join(err, scan.Close()) }()
	scan.GiveWay() // to live traffic
	w := partWriter{part: p, number: number, cutter: ndjson.NewCutter(ndjson.Bounds{Lines: j.MaxLines, Bytes: j.MaxBytes}), out: out, sum: sha256.New()}
	total := 0
	for scan.Next() {
		if err := w.line(scan.Version().Body); err != nil {
			return nil, err
		}
		total++
	}
	if err := scan.Err(); err != nil {
		return nil, err
	}
	if total != p.Count {
		return nil, fault.Errorf(fault.Internal, "export", "%s part %d holds %d resources as of transaction %d, its plan says %d", p.Type, p.N, total, j.TxID, p.Count)
	}
	if err := w.end(); err != nil {
		return nil, err
	}
	return w.files, nil
}

// partWriter cuts lines into files.
type partWriter struct {
	part   Part
	number uint64
	cutter ndjson.Cutter
	out    sink
	sum    hash.Hash
	files  []File
}

var newline = []byte{'\n'}

func (w *partWriter) line(body []byte) error {
	if !w.cutter.Fits(len(body)) {
		if err := w.end(); err != nil {
			return err
		}
	}
	for _, b := range [2][]byte{body, newline} {
		w.sum.Write(b)
		if err := w.out.write(b); err != nil {
			return err
		}
	}
	w.cutter.Take(len(body))
	return nil
}

func (w *partWriter) end() error {
	if w.cutter.Lines() == 0 {
		return nil
	}
	sum := w.sum.Sum(nil)
	f := File{Type: w.part.Type.String(), Name: fileName(w.number, w.part, len(w.files)), Count: w.cutter.Lines(),
		Bytes: int64(w.cutter.Bytes()), SHA256: hex.EncodeToString(sum)}
	if err := w.out.finish(f, sum); err != nil {
		return err
	}
	w.files = append(w.files, f)
	w.cutter.Cut()
	w.sum.Reset()
	return nil
}
