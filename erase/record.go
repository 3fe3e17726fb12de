package erase

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/store"
)

// Riders of this room in a data store:
//
//	erase/once/{job}          an erasure was carried out; gone when it is done
//	erase/pending/{tx}        what is hidden and still to be purged, by ordinals
//	erase/record/{tx}/{job}   what was erased: counts, and the instant; without a byte of the resources; see Forget
//	erase/of/{job}/{tx}       empty: the transactions of an erasure, so that a look at one does not read the records of all
const riders = "erase/"

func onceKey(job string) []byte { return fmt.Appendf(nil, "%sonce/%s", riders, job) }

func pendingKey(tx store.TxID) []byte { return fmt.Appendf(nil, "%spending/%016x", riders, uint64(tx)) }

func recordKey(tx store.TxID, job string) []byte {
	return fmt.Appendf(nil, "%srecord/%016x/%s", riders, uint64(tx), job)
}

func ofKey(job string) []byte { return fmt.Appendf(nil, "%sof/%s/", riders, job) }

// riders are those that tell of what was erased.
func (r *Record) riders() []store.Rider {
	return []store.Rider{{Key: recordKey(r.Tx, r.Erasure), Value: r.encode()},
		{Key: fmt.Appendf(ofKey(r.Erasure), "%016x", uint64(r.Tx)), Value: []byte{}}}
}

// Record tells of one transaction of an erasure. It names no resource but those that were left standing.
type Record struct {
	Format  int            `json:"v"` // 1
	Erasure string         `json:"erasure"`
	Tx      store.TxID     `json:"tx"`
	Instant int64          `json:"instant"` // ms since 1970: when it went from sight
	Counts  map[string]int `json:"counts"`  // by type
	Kept    []string       `json:"kept,omitempty"`
	Purged  int64          `json:"purged,omitempty"` // ms since 1970: when it had gone from the disk; 0: not yet
}

func (r *Record) encode() []byte {
	b, _ := json.Marshal(r) // it has no part that could fail
	return b
}

func decodeRecord(value []byte) (rec Record, err error) {
	if err := json.Unmarshal(value, &rec); err != nil || rec.Format != 1 {
		return Record{}, fault.Errorf(fault.Internal, "erase", "the record of an erasure cannot be read (format %d)", rec.Format)
	}
	return rec, nil
}

// recordOf is the record of one transaction of an erasure; nil where there is none.
func recordOf(ctx context.Context, st *store.Store, tx store.TxID, job string) (*Record, error) {
	value, err := st.Rider(ctx, recordKey(tx, job))
	if err != nil || value == nil {
		return nil, err
	}
	rec, err := decodeRecord(value)
	return &rec, err
}

// recordsOf are those of one erasure, the oldest first.
func recordsOf(ctx context.Context, st *store.Store, job string) (all []Record, err error) {
	var of []store.TxID
	for r, err := range st.Riders(ctx, ofKey(job)) {
		if err != nil {
			return nil, err
		}
		tx, err := strconv.ParseUint(string(r.Key[len(ofKey(job)):]), 16, 64)
		if err != nil {
			return nil, fault.Errorf(fault.Internal, "erase", "the transactions of an erasure cannot be read")
		}
		of = append(of, store.TxID(tx))
	}
	for _, tx := range of { // behind the loop, which holds a snapshot
		rec, err := recordOf(ctx, st, tx, job)
		if err != nil {
			return nil, err
		}
		if rec != nil {
			all = append(all, *rec)
		}
	}
	return all, nil
}

// pending is what one transaction has hidden.
type pending struct {
	tx     store.TxID
	job    string
	places []store.Place
}

const pendingFormat = 1

func (p *pending) encode() []byte {
	b := append([]byte{pendingFormat}, p.job...)
	b = append(b, 0)
	for _, at := range p.places {
		b = binary.AppendUvarint(b, uint64(at.Type))
		b = binary.AppendUvarint(b, uint64(at.Ordinal))
	}
	return b
}

func decodePending(key, value []byte) (p pending, err error) {
	damaged := fault.Errorf(fault.Internal, "erase", "what is pending of an erasure cannot be read")
	var tx uint64
	if _, err := fmt.Sscanf(strings.TrimPrefix(string(key), riders+"pending/"), "%016x", &tx); err != nil || len(value) == 0 || value[0] != pendingFormat {
		return p, damaged
	}
	id, rest, ok := bytes.Cut(value[1:], []byte{0})
	if !ok {
		return p, damaged
	}
	p.tx, p.job = store.TxID(tx), string(id)
	for len(rest) > 0 {
		typ, n := binary.Uvarint(rest)
		if n <= 0 {
			return p, damaged
		}
		ordinal, m := binary.Uvarint(rest[n:])
		if m <= 0 || typ > r4.Count || ordinal >= uint64(store.End) {
			return p, damaged
		}
		rest = rest[n+m:]
		p.places = append(p.places, store.Place{Type: r4.Code(typ), Ordinal: store.Ordinal(ordinal)})
	}
	return p, nil
}

// pendings are what is still to be purged in a data store, the oldest first.
func pendings(ctx context.Context, st *store.Store) (all []pending, err error) {
	for r, err := range st.Riders(ctx, []byte(riders+"pending/")) {
		if err != nil {
			return nil, err
		}
		p, err := decodePending(r.Key, r.Value)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// Erased are the records of the erasures in a data store by transactions after one, the oldest first.
func (s *Service) Erased(ctx context.Context, datastore string, after store.TxID) ([]Record, error) {
	st, err := s.o.Datastores.Store(ctx, datastore)
	if err != nil {
		return nil, err
	}
	return Records(ctx, st, after)
}

// Records are those of the erasures in a data store by transactions after one, the oldest first.
func Records(ctx context.Context, st *store.Store, after store.TxID) (all []Record, err error) {
	for r, err := range st.Riders(ctx, []byte(riders+"record/")) {
		if err != nil {
			return nil, err
		}
		rec, err := decodeRecord(r.Value)
		if err != nil {
			return nil, err
		}
		if rec.Tx > after {
			all = append(all, rec)
		}
	}
	return all, nil
}
