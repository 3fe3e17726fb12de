package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"tarn/synth"
)

// population finds or makes the input.
func (b *bench) population(ctx context.Context) error {
	if b.data = b.input; b.data == "" {
		b.data = filepath.Join(b.dir, "input")
		if err := os.Mkdir(b.data, 0o700); err != nil {
			return err
		}
		if _, err := synth.WriteDir(ctx, b.data, synth.Options{Seed: 1, Patients: b.patients}); err != nil {
			return err
		}
	}
	files, err := filepath.Glob(filepath.Join(b.data, "*.ndjson"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no .ndjson files in %s: %w", b.data, err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		in := bufio.NewReaderSize(f, 1<<20)
		for {
			chunk, err := in.ReadSlice('\n')
			b.bytes += int64(len(chunk))
			b.count += int64(bytes.Count(chunk, []byte{'\n'}))
			if err != nil && err != bufio.ErrBufferFull {
				break
			}
		}
		f.Close()
	}
	return nil
}

// upload puts the input into the bucket.
func (b *bench) upload(ctx context.Context) error { return b.uploadFolder(ctx, b.data, "in/") }

// uploadFolder puts the .ndjson files of a folder into the bucket, below a prefix.
func (b *bench) uploadFolder(ctx context.Context, dir, prefix string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.ndjson"))
	if err != nil {
		return err
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err == nil {
			err = b.server.client.PutObject(ctx, bucket, prefix+filepath.Base(file), f, info.Size())
		}
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// probeLines is about how many resources a probe has.
const probeLines = 100_000

// probe uploads an even share of the input under ids that were not used before, and gives its folder.
func (b *bench) probe(ctx context.Context) (folder string, err error) {
	b.probes++
	folder = fmt.Sprintf("probe-%d/", b.probes)
	files, err := filepath.Glob(filepath.Join(b.data, "*.ndjson"))
	if err != nil {
		return "", err
	}
	step, n := max(1, b.count/probeLines), int64(0)
	var text bytes.Buffer
	for _, file := range files {
		text.Reset()
		err := eachLine(file, func(line []byte) error {
			if n++; n%step == 0 {
				text.Write(bytes.Replace(line, []byte(`"id":"`), fmt.Appendf(nil, `"id":"p%d-`, b.probes), 1))
				text.WriteByte('\n')
			}
			return ctx.Err()
		})
		if err != nil {
			return "", err
		}
		if err := b.server.client.PutObject(ctx, bucket, folder+filepath.Base(file), bytes.NewReader(text.Bytes()), int64(text.Len())); err != nil {
			return "", err
		}
	}
	return folder, nil
}

// eachLine reads a file line by line.
func eachLine(file string, f func(line []byte) error) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 1<<20), 32<<20)
	for lines.Scan() {
		if err := f(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}
