package pebble

import (
	"context"
	"encoding/binary"
	"strings"
)

// manifestSize is the size beyond which Pebble begins the list of tables anew, once as many tables have come and gone as it
// names.
const manifestSize = 64 << 10

// manifestTables is how many tables a turn of the list takes at least: with keys of over 1 KiB they bring it over its size.
const manifestTables = 64

// scratch are keys behind those of any caller, of which nobody ever sees one.
func scratch(n uint32) []byte { return binary.BigEndian.AppendUint32(append([]byte{}, afterAll...), n) }

// freshManifest has the list of tables begun anew and removes the former ones. Pebble does so when enough tables have come
// and gone: so it takes in that many, each with the deletion of a key that never was, and they are compacted away.
func (s *space) freshManifest(ctx context.Context) error {
	before, err := s.manifestNow()
	if err != nil {
		return err
	}
	now := before
	if err := s.await(ctx, func() (bool, error) {
		if err := s.turn(ctx); err != nil {
			return false, err
		}
		now, err = s.manifestNow()
		return now != before, err
	}); err != nil {
		return err
	}
	names, err := s.fs.List(s.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, "MANIFEST-") && (len(name) < len(now) || len(name) == len(now) && name < now) {
			if err := s.fs.Remove(s.fs.PathJoin(s.dir, name)); err != nil && !isNotExist(err) {
				return err
			}
		}
	}
	return nil
}

// turn lets tables come and go.
func (s *space) turn(ctx context.Context) error {
	files := int64(manifestTables)
	for _, l := range s.db.Metrics().Levels {
		files += l.TablesCount
	}
	l := &loader{space: s}
	defer l.clean()
	for n := range uint32(files) {
		if err := l.tombstone(n); err != nil {
			return err
		}
	}
	if err := l.ingest(ctx, "pebble.Compact"); err != nil {
		return err
	}
	return s.rewrite(ctx, []span{{scratch(0), scratch(1<<32 - 1)}})
}

// tombstone makes a table of one deletion.
func (l *loader) tombstone(n uint32) error {
	if err := l.begin(); err != nil {
		return err
	}
	if err := l.table.Delete(scratch(n)); err != nil {
		return err
	}
	return l.seal()
}
