package pebble

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	fileShards   = 4    // of the cache of open files, shared by all spaces
	maxOpenFiles = 2000 // table files held open, over all spaces
	memTable     = 16 << 20
	lastLevel    = 6
)

// dbOptions are the settings of one space's database.
func dbOptions(fs vfs.FS, cache *pebble.Cache, files *pebble.FileCache, w *wreck, c *compactions) *pebble.Options {
	o := &pebble.Options{
		FS:                 fs,
		WALDir:             pebble.MakeStoreRelativePath(fs, logDir), // so that a moved or restored directory opens
		Cache:              cache,
		FileCache:          files,
		Logger:             w,
		FormatMajorVersion: pebble.FormatTableFormatV6,
		// A table begins with 256 KiB and doubles while it fills, so an idle space costs little; two full ones wait
		// for their flush at most.
		MemTableSize:                memTable,
		MemTableStopWritesThreshold: 3,
		L0CompactionThreshold:       2,
		L0StopWritesThreshold:       24,
		LBaseMaxBytes:               64 << 20,
		BytesPerSync:                1 << 20,
		MaxManifestFileSize:         manifestSize,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		EventListener: &pebble.EventListener{
			// Pebble's own answer to damage found in the background is to end the process. A reader that meets it gets
			// the error; the rest of the store goes on.
			DataCorruption: func(pebble.DataCorruptionInfo) {},
		},
	}
	o.Experimental.CompactionScheduler = c
	o.TargetFileSizes[0] = 4 << 20
	for i := range o.Levels {
		l := &o.Levels[i]
		l.BlockSize = 32 << 10 // whole types are scanned; a point read unpacks one block
		l.IndexBlockSize = 256 << 10
		l.FilterPolicy = bloom.FilterPolicy(10)
		// In Go without cgo, zstd in the last level stores laboratory results in 0.57 of snappy's bytes, but a scan then
		// runs at half its speed, and a scan is what an export waits for. MinLZ: 0.9 of the bytes, the scan as fast.
		l.Compression = func() *sstable.CompressionProfile { return sstable.SnappyCompression }
	}
	o.EnsureDefaults()
	return o
}
