package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// growth imports piece after piece behind the input, so that a data store may grow far beyond what the disk holds of
// its input: each piece is made by a command, imported, and removed again. It tells whether the rate stays.
func (b *bench) growth(ctx context.Context) error {
	if b.pieces == 0 {
		return nil
	}
	if b.piece == "" {
		return errors.New("-pieces wants -piece, the command that makes one")
	}
	var rates []float64
	var total, refused, bytes int64
	var took time.Duration
	b.server.forgetPeak()
	for n := 1; n <= b.pieces; n++ {
		size, err := b.uploadPiece(ctx, n)
		if err != nil {
			return err
		}
		p, d, err := b.importOnce(ctx, b.place.datastore.DatastoreId, "piece/")
		if err != nil {
			return err
		}
		if err := b.remove(ctx, "piece/"); err != nil {
			return err
		}
		total, refused, bytes, took = total+p.TotalNumberOfResourcesScanned, refused+p.TotalNumberOfResourcesWithCustomerError, bytes+size, took+d
		rates = append(rates, perSecond(p.TotalNumberOfResourcesScanned, d))
		fmt.Fprintf(os.Stderr, "piece %d: %.0f resources/s, %d so far\n", n, rates[n-1], b.count+total)
	}
	disk, err := diskUsage(filepath.Join(b.dir, "data"))
	if err != nil {
		return err
	}
	first, last := rates[0], rates[len(rates)-1]
	least := first
	for _, r := range rates {
		least = min(least, r)
	}
	note := fmt.Sprintf("%d jobs one after the other, %.0f s of imports; first piece %.0f, slowest %.0f, last %.0f resources/s; peak resident set %.0f MiB; data directory then %.1f GB, input %.1f GB",
		b.pieces, took.Seconds(), first, least, last, float64(b.server.memory("VmHWM"))/(1<<20), float64(disk)/1e9, float64(bytes+b.bytes)/1e9)
	if refused > 0 {
		note += fmt.Sprintf("; %d refused by validation", refused)
	}
	if b.cgroup != "" {
		limit, _ := os.ReadFile(filepath.Join(b.cgroup, "memory.limit_in_bytes"))
		if n, err := strconv.ParseInt(strings.TrimSpace(string(limit)), 10, 64); err == nil {
			note += fmt.Sprintf("; memory and page cache of the server limited to %.1f GB", float64(n)/1e9)
		}
	}
	b.report.add(fmt.Sprintf("import that goes on from %d to %d resources", b.count, b.count+total), fmt.Sprintf("%.0f resources/s", perSecond(total, took)), "25,000/s", note)
	return nil
}

// uploadPiece makes piece n and puts it into the bucket. It gives its size in bytes.
func (b *bench) uploadPiece(ctx context.Context, n int) (size int64, err error) {
	dir := filepath.Join(b.dir, "piece")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, "sh", "-c", b.piece)
	cmd.Env = append(os.Environ(), "PIECE="+strconv.Itoa(n), "DIR="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s: %w: %s", b.piece, err, out)
	}
	if size, err = diskUsage(dir); err != nil {
		return 0, err
	}
	return size, b.uploadFolder(ctx, dir, "piece/")
}

// grownExport measures one export of what growth left.
func (b *bench) grownExport(ctx context.Context) error {
	if b.pieces == 0 {
		return nil
	}
	b.server.forgetPeak()
	folder, took, err := b.exportOnce(ctx)
	if err != nil {
		return err
	}
	m, err := b.manifest(ctx, folder)
	if err != nil {
		return err
	}
	mb := float64(m.Bytes) / 1e6
	b.report.add(fmt.Sprintf("export, %d resources, %.0f MB, %d files", m.Count, mb, len(m.Output)), fmt.Sprintf("%.0f MB/s", mb/took.Seconds()), "300 MB/s",
		fmt.Sprintf("%.0f s, %.0f resources/s, once, of all that; encrypted, SHA-256, synced; peak resident set %.0f MiB",
			took.Seconds(), perSecond(int64(m.Count), took), float64(b.server.memory("VmHWM"))/(1<<20)))
	return b.remove(ctx, folder)
}

// remove takes all objects below a prefix out of the bucket.
func (b *bench) remove(ctx context.Context, prefix string) error {
	for o, err := range b.server.client.Objects(ctx, bucket, prefix) {
		if err != nil {
			return err
		}
		if err := b.server.client.DeleteObject(ctx, bucket, o.Key); err != nil {
			return err
		}
	}
	return nil
}

// diskUsage is the size in bytes of all files below a folder. Files that go meanwhile are left out.
func diskUsage(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = e.Info(); err == nil {
				n += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return n, err
}
