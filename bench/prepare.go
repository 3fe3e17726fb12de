package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"time"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/validate"
)

// Of the input, so much is looked at in memory: every stepth line, so that all types and patients have their share.
const sampleBytes = 64 << 20

// sample is lines of the whole input, evenly chosen.
func (b *bench) sample() (lines [][]byte, size int, err error) {
	step := max(1, b.bytes/sampleBytes)
	files, err := filepath.Glob(filepath.Join(b.data, "*.ndjson"))
	if err != nil {
		return nil, 0, err
	}
	n := int64(0)
	for _, file := range files {
		err := eachLine(file, func(line []byte) error {
			if n++; n%step == 0 && len(line) > 0 {
				lines = append(lines, bytes.Clone(line))
				size += len(line)
			}
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return lines, size, nil
}

// preparation measures, on one processor and in this process, what is done with each resource before it is stored.
func (b *bench) preparation(ctx context.Context) error {
	lines, size, err := b.sample()
	if err != nil {
		return err
	}
	parser, validator, extractor := fhir.NewParser(fhir.Limits{}), validate.New(), index.NewExtractor()
	entries, refused := 0, 0
	round := func(check, extract bool) (time.Duration, error) {
		begin := time.Now()
		entries, refused = 0, 0
		for i, line := range lines {
			r, err := parser.Borrow(line)
			if err != nil {
				return 0, err
			}
			if check && validate.Failed(validator.Check(parser.Doc(), validate.Options{Source: line})) {
				refused++
			}
			if extract {
				entries += len(extractor.Extract(parser.Doc(), r.Code()))
			}
			if i%1000 == 0 && ctx.Err() != nil {
				return 0, ctx.Err()
			}
		}
		return time.Since(begin), nil
	}
	best := func(check, extract bool) (took time.Duration, err error) {
		for range max(b.runs, 1) {
			one, err := round(check, extract)
			if err != nil {
				return 0, err
			}
			if took == 0 || one < took {
				took = one
			}
		}
		return took, nil
	}
	parse, err := best(false, false)
	if err != nil {
		return err
	}
	checked, err := best(true, false)
	if err != nil {
		return err
	}
	all, err := best(true, true)
	if err != nil {
		return err
	}
	n := int64(len(lines))
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(n) }
	b.report.add("validate and extract, one processor", fmt.Sprintf("%.0f resources/s", perSecond(n, all-parse)), "60,000/s",
		fmt.Sprintf("%d resources of %d bytes on average, best of %d; %d of them refused; %.1f entries each", n, int64(size)/n, b.runs, refused, float64(entries)/float64(n)))
	b.report.add("parse, validate and extract, one processor", fmt.Sprintf("%.0f resources/s", perSecond(n, all)), "",
		fmt.Sprintf("parse %.1f us, validate %.1f us, extract %.1f us", each(parse), each(checked-parse), each(all-checked)))
	return nil
}
