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
	Type   string `json:"type,omitempty"` // of its lines; Bundle where they tell of deletions; none where they are blocks
	Name   string `json:"name"`           // below the job's folder: Patient/Patient-971340731094998775-0-0.ndjson
	Count  int    `json:"count"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // of the plain bytes, lower-case hexadecimal

	Blocks    int    `json:"blocks,omitempty"`          // of Count: lines that are headers of blocks
	Continues string `json:"continuesInFile,omitempty"` // Name of the file in which the last block goes on
}

// resources is how many lines are resources of the data store.
func (f File) resources() int { return f.Count - f.Blocks }

// jobNumber is the number in a job's file names: 63 bits of the SHA-256 of its id.
func jobNumber(jobID string) uint64 {
	sum := sha256.Sum256([]byte(jobID))
	return binary.BigEndian.Uint64(sum[:8]) >> 1
}

// The folders below a job's own for files that hold no resources of the data store.
const (
	DeletedFolder = "deleted" // what was deleted
	ErrorFolder   = "error"   // OperationOutcomes: what was asked for and passed over
	BlocksFolder  = "blocks"  // resources, organized by patient
)

const deletedFolder = DeletedFolder + "/"

// fileName is the name of a part's n-th file below the job's folder.
func fileName(number uint64, p Part, file int) string {
	t, folder := p.Type.String(), ""
	switch {
	case p.Deleted:
		folder = deletedFolder
	case p.Blocks != nil:
		return fmt.Sprintf("%s/%s-%d-%d-%d.ndjson", BlocksFolder, t, number, p.N, file)
	}
	return fmt.Sprintf("%s%s/%s-%d-%d-%d.ndjson", folder, t, t, number, p.N, file)
}

// sink takes the bytes of one file after the other. The slice given to write belongs to the store: it is valid only
// during the call.
type sink interface {
	write(line []byte) error
	// finish ends a file; the next write begins another. sum is the SHA-256 of all that was written.
	finish(f File, sum []byte) error
}

// writePart sends the lines of a part, as of the view, to out, cut into files by lines and bytes, and returns what the
// files are, and which resources of the part are not in them since the data store has lost them. It is an error where
// anything else is missing. While interactive transactions come it takes the share of the time, in percent.
func writePart(ctx context.Context, v *store.View, j Job, number uint64, p Part, out sink, share int) (files []File, lost []store.Lost, err error) {
	w := partWriter{part: p, pace: v.Pace(share), number: number, cutter: ndjson.NewCutter(ndjson.Bounds{Lines: j.MaxLines, Bytes: j.MaxBytes}), out: out, sum: sha256.New()}
	total := 0
	switch {
	case p.Deleted:
		total, err = w.deletions(ctx, v)
	case p.Blocks != nil:
		total, err = w.organized(ctx, v, &j)
	case p.sparse():
		total, err = w.members(ctx, v, j.lines(p.Type))
	default:
		total, err = w.span(ctx, v, j.lines(p.Type))
	}
	if err == nil && total < p.Count {
		lost, err = p.lost(ctx, v)
	}
	if err == nil {
		err = p.madeUp(j.TxID, total, lost)
	}
	if err == nil {
		err = w.end()
	}
	if err != nil {
		return nil, nil, err
	}
	return w.files, lost, nil
}

// madeUp checks that what is left of a part, as of a transaction, and what is lost are what its plan says.
func (p *Part) madeUp(as store.TxID, left int, lost []store.Lost) error {
	if left+len(lost) == p.Count {
		return nil
	}
	return fault.Errorf(fault.Internal, "export", "%s part %d holds %d resources as of transaction %d and %d were erased or removed since, its plan says %d",
		p.Type, p.N, left, as, len(lost), p.Count)
}

// sparse reports whether a part's members are better looked up one by one than met in a walk over the range.
func (p *Part) sparse() bool { return p.Members != nil && int(p.To-p.From) > 8*p.Count }

// span writes the part's resources as a walk over the range meets them.
func (w *partWriter) span(ctx context.Context, v *store.View, project *projection) (total int, err error) {
	scan := v.Scan(ctx, w.part.Type, w.part.From, w.part.To)
	defer func() { err = errors.Join(err, scan.Close()) }()
	members := w.part.Members
	for scan.Next() {
		if w.part.Members != nil {
			for len(members) > 0 && members[0] < scan.Ordinal() {
				members = members[1:]
			}
			if len(members) == 0 || members[0] != scan.Ordinal() {
				continue
			}
		}
		body, err := project.of(scan.Body())
		if err != nil {
			return total, err
		}
		if err := w.line(body); err != nil {
			return total, err
		}
		w.pace.Step(ctx, len(body))
		total++
	}
	return total, scan.Err()
}

// lookUps is how many resources are looked up in one round trip: not many, since one may have 16 MiB.
const lookUps = 16

// members writes the part's resources by looking each up.
func (w *partWriter) members(ctx context.Context, v *store.View, project *projection) (total int, err error) {
	for left := w.part.Members; len(left) > 0; {
		n := min(lookUps, len(left))
		versions, err := v.ReadOrdinals(ctx, w.part.Type, left[:n])
		if err != nil {
			return total, err
		}
		left = left[n:]
		for i := range versions {
			if versions[i].Number == 0 || versions[i].Deleted {
				continue // writePart asks why
			}
			body, err := project.of(versions[i].Body)
			if err != nil {
				return total, err
			}
			if err := w.line(body); err != nil {
				return total, err
			}
			w.pace.Step(ctx, len(body))
			total++
		}
	}
	return total, nil
}

// partWriter cuts lines into files.
type partWriter struct {
	part   Part
	pace   *store.Pace
	number uint64
	cutter ndjson.Cutter
	out    sink
	sum    hash.Hash
	files  []File

	headers   int    // of blocks, in the file under way
	continues string // the file in which its last block goes on
}

var newline = []byte{'\n'}

func (w *partWriter) line(body []byte) error {
	if !w.cutter.Fits(len(body)) {
		if err := w.end(); err != nil {
			return err
		}
	}
	return w.direct(body)
}

// direct writes a line into the file under way, whether it fits or not.
func (w *partWriter) direct(body []byte) error {
	for _, b := range [2][]byte{body, newline} {
		w.sum.Write(b)
		if err := w.out.write(b); err != nil {
			return err
		}
	}
	w.cutter.Take(len(body))
	return nil
}

// typ is the resource type of the part's lines.
func (w *partWriter) typ() string {
	switch {
	case w.part.Deleted:
		return "Bundle"
	case w.part.Blocks != nil:
		return ""
	}
	return w.part.Type.String()
}

func (w *partWriter) end() error {
	if w.cutter.Lines() == 0 {
		return nil
	}
	sum := w.sum.Sum(nil)
	f := File{Type: w.typ(), Name: fileName(w.number, w.part, len(w.files)), Count: w.cutter.Lines(),
		Bytes: int64(w.cutter.Bytes()), SHA256: hex.EncodeToString(sum), Blocks: w.headers, Continues: w.continues}
	if err := w.out.finish(f, sum); err != nil {
		return err
	}
	w.files = append(w.files, f)
	w.headers, w.continues = 0, ""
	w.cutter.Cut()
	w.sum.Reset()
	return nil
}
