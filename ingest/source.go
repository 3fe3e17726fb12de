package ingest

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"regexp"

	"github.com/klauspost/compress/s2"

	"tarn/cloud"
	"tarn/fault"
	"tarn/job"
)

// input is one file of the plan, as it was when the plan was made.
type input struct {
	Key  string `json:"key"`
	Size int64  `json:"size"`
	ETag string `json:"etag"`
}

// Bounds of one stored piece of a plan, which is a value of the ledger.
const (
	planFiles  = 1000
	planBytes  = 512 << 10 // before it is compressed
	planFormat = 1
)

// ownFolder is the output folder of an import: its logs are no input, should they lie below the input's prefix.
var ownFolder = regexp.MustCompile(`(^|/)[0-9a-f]{32}-FHIR_IMPORT-[0-9a-f]{32}/`)

// list is the input of an import as pieces of its plan: the objects below the prefix that hold NDJSON, packed or not, in
// the order of their keys. What is over a limit is refused, before anything of the job is applied.
func list(ctx context.Context, b cloud.Bucket, bucket, prefix string, limits Limits) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var piece []input
		n, size, total := 0, 0, int64(0)
		flush := func() bool {
			text, err := encodePiece(piece)
			piece, size = piece[:0], 0
			return yield(text, err)
		}
		for o, err := range b.List(ctx, prefix) {
			if err == nil && (!isInput(o.Key) || ownFolder.MatchString(o.Key[len(prefix):])) {
				continue
			}
			if total += o.Size; err == nil {
				err = limits.check(n+1, o.Size, total, "s3://"+bucket+"/"+o.Key)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if (len(piece) == planFiles || size+len(o.Key) > planBytes) && !flush() {
				return
			}
			piece = append(piece, input{o.Key, o.Size, o.ETag})
			n++
			size += len(o.Key) + len(o.ETag) + 64
		}
		if n == 0 {
			yield(nil, fault.WithHint(fault.Errorf(fault.Invalid, "ingest", "There is no .ndjson file below the input S3Uri."),
				"Name in InputDataConfig.S3Uri the folder of the files: every object below it whose key ends in .ndjson, .ndjson.gz or .ndjson.zst is read."))
			return
		}
		flush()
	}
}

// check is the error of an input that has so many files and bytes, the last of them in one file of that size.
func (l Limits) check(files int, size, total int64, uri string) error {
	switch {
	case files > l.Files:
		return fault.WithHint(fault.Errorf(fault.Invalid, "ingest", "The input has more than %d files, which is the limit of one import.", l.Files), "Divide it into several imports.")
	case size > l.FileBytes:
		return fault.WithHint(fault.Errorf(fault.Invalid, "ingest", "The input file %s has %d bytes; the limit of one file is %d.", uri, size, l.FileBytes), "Divide it into several files.")
	case total > l.JobBytes:
		return fault.WithHint(fault.Errorf(fault.Invalid, "ingest", "The input has more than %d bytes, which is the limit of one import.", l.JobBytes), "Divide it into several imports.")
	}
	return nil
}

func encodePiece(files []input) ([]byte, error) {
	text, err := json.Marshal(files)
	if err != nil {
		return nil, fault.Wrap("ingest", err)
	}
	return append([]byte{planFormat}, s2.Encode(nil, text)...), nil
}

func decodePiece(b []byte) (files []input, err error) {
	if len(b) == 0 || b[0] != planFormat {
		return nil, fault.Errorf(fault.Unsupported, "ingest", "the plan of this job is not of format %d", planFormat)
	}
	text, err := s2.Decode(nil, b[1:])
	if err == nil {
		err = json.Unmarshal(text, &files)
	}
	if err != nil {
		return nil, fault.Errorf(fault.Internal, "ingest", "the plan of this job is damaged: %w", err)
	}
	return files, nil
}

// inputs is the plan of a job. It is kept compressed, all but the piece under way: a million files take little memory.
type inputs struct {
	pieces [][]byte
	first  []int // index of the first file of each piece
	count  int
	bytes  int64 // of all files, as they are in the bucket
	packed bool  // some are packed, so that their bytes do not tell how much there is to read

	now   []input // the piece that was read last
	piece int
}

// planned is the stored plan, made at the first run.
func planned(ctx context.Context, run *job.Run, in cloud.Bucket, j Job, limits Limits) (*inputs, error) {
	if !run.Planned() {
		if err := run.SetPlan(ctx, list(ctx, in, j.InputBucket, j.InputPrefix, limits), job.Progress{}); err != nil {
			return nil, err
		}
	}
	return readPlan(run.Plan(ctx))
}

func readPlan(pieces iter.Seq2[[]byte, error]) (*inputs, error) {
	p := &inputs{piece: -1}
	for b, err := range pieces {
		if err != nil {
			return nil, err
		}
		if err := p.add(b); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *inputs) add(piece []byte) error {
	files, err := decodePiece(piece)
	if err != nil {
		return err
	}
	p.pieces, p.first = append(p.pieces, piece), append(p.first, p.count)
	p.count += len(files)
	for _, f := range files {
		p.bytes += f.Size
		p.packed = p.packed || packingOf(f.Key) != plain
	}
	return nil
}

// at is file i, in [0, count).
func (p *inputs) at(i int) (input, error) {
	k := p.piece
	if k < 0 || i < p.first[k] || i >= p.first[k]+len(p.now) {
		for k = 0; k+1 < len(p.first) && p.first[k+1] <= i; k++ {
		}
		files, err := decodePiece(p.pieces[k])
		if err != nil {
			return input{}, err
		}
		p.now, p.piece = files, k
	}
	return p.now[i-p.first[k]], nil
}

// open reads what is left of a file from offset on, unpacked; offset counts unpacked bytes, of which there may be most. A
// file that is no longer the one of the plan is fault.Conflict: its lines would not be those that were counted, nor its
// place the place where a job that was stopped goes on.
func open(ctx context.Context, b cloud.Bucket, name string, f input, offset int64, most unpackLimit, run *job.Run) (io.ReadCloser, error) {
	if packing := packingOf(f.Key); packing != plain {
		r, err := openRaw(ctx, b, name, f, 0)
		if err != nil {
			return nil, err
		}
		return packing.open(run.Living(ctx), r, "s3://"+name+"/"+f.Key, offset, most)
	}
	return openRaw(ctx, b, name, f, offset)
}

// unreadable is the error of a file that cannot be read for what it is, or for what the job's role may do.
type unreadable struct{ err error }

func (u *unreadable) Error() string { return u.err.Error() }

func (u *unreadable) Unwrap() error { return u.err }

// notRead is the error of a file whose reading has ended with err.
func notRead(err error) error {
	switch fault.KindOf(err) {
	case fault.Internal, fault.Unavailable, fault.Throttled:
		return err
	}
	return &unreadable{err}
}

// openRaw reads what is left of an object from offset on.
func openRaw(ctx context.Context, b cloud.Bucket, name string, f input, offset int64) (io.ReadCloser, error) {
	changed := func() error {
		return fault.WithHint(fault.Errorf(fault.Conflict, "ingest", "The input file s3://%s/%s was changed or deleted after the import had begun.", name, f.Key),
			"Import it again; lines that were applied already become new versions of the same resources.")
	}
	r, err := b.Get(ctx, f.Key, offset, f.Size-offset)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) { // gone, or shorter than offset
		if same, looked := unchanged(ctx, b, f); looked == nil && !same {
			return nil, changed()
		}
	}
	if err != nil {
		return nil, err
	}
	// What is read is what there was at Get or is there now; if that is as planned, so is what is read.
	same, err := unchanged(ctx, b, f)
	if err == nil && !same {
		err = changed()
	}
	if err != nil {
		_ = r.Close()
		return nil, err
	}
	return &whole{ReadCloser: r, left: f.Size - offset}, nil
}

// unchanged reports whether an object is as it was planned. Where the role may not list that one name, it is believed.
func unchanged(ctx context.Context, b cloud.Bucket, f input) (bool, error) {
	for o, err := range b.List(ctx, f.Key) {
		switch {
		case fault.Is(err, fault.Denied):
			return true, nil
		case err != nil:
			return false, err
		}
		return o.Key == f.Key && o.ETag == f.ETag && o.Size == f.Size, nil
	}
	return false, nil
}

// whole is a file that must have as many bytes as it should: a transfer that breaks off looks like a shorter file.
type whole struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (w *whole) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.left -= int64(n)
	if err == io.EOF && w.left > 0 {
		err = fault.Errorf(fault.Unavailable, "ingest", "an input file broke off %d bytes before its end", w.left)
	}
	return n, err
}
