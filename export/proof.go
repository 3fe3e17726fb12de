package export

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"tarn/fault"
	"tarn/fhir"
)

const (
	proofWidth  = 2       // files that are read at once
	maxProblems = 20      // that are told of one file line by line
	maxLine     = 1 << 28 // bytes of a line that is looked at; no resource comes near it
)

// idHash stands for an id. Seeds of its own for each verification make it as unlikely that two ids share 128 bits by
// design as by chance.
type idHash [16]byte

// hasher makes idHashes.
type hasher [2]maphash.Seed

func newHasher() hasher { return hasher{maphash.MakeSeed(), maphash.MakeSeed()} }

func (h hasher) of(id string) (sum idHash) {
	binary.NativeEndian.PutUint64(sum[:8], maphash.String(h[0], id))
	binary.NativeEndian.PutUint64(sum[8:], maphash.String(h[1], id))
	return sum
}

// proof is what the reading of one file gave.
type proof struct {
	missing  bool
	got      File
	ids      []idHash // of the resources, in the order of lines; of blocks: of type and id
	lines    []int32  // of ids: where each stands
	headers  []header // of blocks
	problems []string
	untold   int // problems over maxProblems
}

func (p *proof) problem(format string, args ...any) {
	if len(p.problems) == maxProblems {
		p.untold++
		return
	}
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

// files reads the files of the manifest and holds each against what is said of it.
func (v *verification) files(ctx context.Context, src Source, progress func(int)) error {
	all := v.report.Manifest.all()
	told := len(v.report.Manifest.Output) // files behind it tell of deletions
	ids := newHasher()
	blocks := blockProof{repeats: v.report.Manifest.Selection != nil && v.report.Manifest.Selection.References}
	seen, kind, done := map[idHash]struct{}{}, "", 0
	read := func(ctx context.Context, i int) (*proof, error) { return prove(ctx, src, all[i], ids) }
	err := inOrder(ctx, len(all), proofWidth, read, func(i int, p *proof) error {
		f := all[i]
		if f.Type == "" && i < told {
			blocks.take(f, p)
		} else if f.Type != kind {
			kind, seen = f.Type, map[idHash]struct{}{} // ids are unique within a type
		}
		if p.missing {
			v.problem(f.Name, "The manifest names this file; the folder does not hold it.")
			return nil
		}
		for n, id := range p.ids {
			if i >= told || f.Type == "" {
				break // those Bundles have no ids; blocks have been looked at
			}
			if _, twice := seen[id]; twice {
				p.problem("Line %d is a second resource of an id that stood in this type before.", p.lines[n])
			}
			seen[id] = struct{}{}
		}
		for _, text := range p.problems {
			v.problem(f.Name, "%s", text)
		}
		if p.untold > 0 {
			v.problem(f.Name, "The file has %d more problems.", p.untold)
		}
		if p.got != f {
			v.problem(f.Name, "The file has %s; the manifest says %s.", p.got.describe(), f.describe())
		}
		if i < told && !v.wrong[f.Name] {
			v.report.Verified += f.resources()
		}
		if done += f.resources(); progress != nil {
			progress(done)
		}
		return nil
	})
	if err == nil && blocks.next != "" {
		v.problem(blocks.next, "A block is said to go on in this file; it is not among the files that follow.")
	}
	return err
}

// prove reads one file and says what it is, and which lines are no resource of its type.
func prove(ctx context.Context, src Source, f File, ids hasher) (*proof, error) {
	r, err := src.Open(ctx, f.Name)
	if fault.Is(err, fault.NotFound) {
		return &proof{missing: true}, nil
	}
	if err != nil {
		return nil, err
	}
	p := &proof{got: File{Type: f.Type, Name: f.Name, Continues: f.Continues}}
	return p, errors.Join(p.read(r, ids), r.Close())
}

func (p *proof) read(r io.Reader, ids hasher) error {
	sum := sha256.New()
	in := bufio.NewReaderSize(r, 1<<20)
	parser := fhir.NewParser(fhir.Limits{MaxBytes: maxLine})
	var long []byte // of a line that is longer than the reader's buffer
	size := 0       // of the line so far
	for {
		text, err := in.ReadSlice('\n')
		sum.Write(text)
		p.got.Bytes += int64(len(text))
		if size += len(text); size <= maxLine && (len(long) > 0 || errors.Is(err, bufio.ErrBufferFull)) {
			long = append(long, text...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && err != io.EOF {
			return err
		}
		if size > 0 {
			p.got.Count++
			if len(text) == 0 || text[len(text)-1] != '\n' {
				p.problem("The last line does not end in a newline.")
			}
			if len(long) > 0 {
				text = long
			}
			if size > maxLine {
				p.problem("Line %d is no FHIR resource: it has %d bytes.", p.got.Count, size)
			} else {
				p.line(parser, text, ids)
			}
		}
		long, size = long[:0], 0
		if cap(long) > 16<<20 {
			long = nil
		}
		if err == io.EOF {
			p.got.SHA256 = hex.EncodeToString(sum.Sum(nil))
			return nil
		}
	}
}

func (p *proof) line(parser *fhir.Parser, line []byte, ids hasher) {
	res, err := parser.Parse(line)
	switch {
	case err != nil:
		p.problem("Line %d is no FHIR resource: %s.", p.got.Count, fault.Message(err))
	case p.got.Type == "" && res.Type() == "Parameters":
		p.header(line, ids)
	case p.got.Type == "":
		if len(p.headers) == 0 {
			p.problem("Line %d stands before any header.", p.got.Count)
		}
		p.ids, p.lines = append(p.ids, ids.of(res.Type()+"/"+res.ID())), append(p.lines, int32(p.got.Count))
	case res.Type() != p.got.Type:
		p.problem("Line %d is a %s.", p.got.Count, res.Type())
	default:
		p.ids, p.lines = append(p.ids, ids.of(res.ID())), append(p.lines, int32(p.got.Count))
	}
}
