package interaction

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

// RecordLife is how long is kept what came of a transaction that was sent with a key or done in the background.
const RecordLife = 90 * 24 * time.Hour

// Riders of this room in a data store:
//
//	bundle/once/{key}         record of a transaction with an idempotency key
//	bundle/async/{id}         a transaction to be done in the background
//	bundle/body/{id}/{n}      its Bundle, in pieces, until it is done
//	bundle/result/{id}        record of what came of it
//	bundle/expiry/{ms}/{name} when the rows of once/{key} or async/{id} go
const riders = "bundle/"

func riderKey(parts ...string) []byte { return []byte(riders + strings.Join(parts, "/")) }

// Record is what is kept of a transaction that was carried out: enough to answer it again.
type Record struct {
	Transacted
	Entries []Entry // Method, Path, Query and the conditions of those that read; others are empty
	Again   bool    // another transaction with the same key did it
}

// storedRecord is a Record on disk. A failure has Kind and Issues instead of Tx and Entries.
type storedRecord struct {
	Format  int           `json:"v"`
	Tx      uint64        `json:"tx,omitempty"`
	Entries []storedEntry `json:"entries,omitempty"`
	Again   bool          `json:"again,omitempty"`
	Kind    string        `json:"kind,omitempty"`
	Issues  []fhir.Issue  `json:"issues,omitempty"`
}

type storedEntry struct {
	Status  int    `json:"s,omitempty"`
	Type    string `json:"t,omitempty"`
	ID      string `json:"i,omitempty"`
	Number  uint64 `json:"n,omitempty"`
	Instant int64  `json:"w,omitempty"`

	Method          string `json:"m,omitempty"`
	Path            string `json:"p,omitempty"`
	Query           string `json:"q,omitempty"`
	IfNoneMatch     string `json:"inm,omitempty"`
	IfModifiedSince string `json:"ims,omitempty"`
}

// maxRecordReads bounds the bytes of URLs and conditions of entries that read, in a transaction of which a record is kept.
const maxRecordReads = 512 << 10

// recordable refuses a Bundle whose record would be too large.
func (b *Bundle) recordable() error {
	size := 0
	for i := range b.Entries {
		if e := &b.Entries[i]; !e.Writes() {
			size += len(e.Path) + len(e.Query) + len(e.IfNoneMatch) + len(e.IfModifiedSince)
		}
	}
	if size > maxRecordReads {
		return fault.Errorf(fault.TooLarge, "interaction", "The URLs of the Bundle have %d bytes together; the limit is %d.", size, maxRecordReads)
	}
	return nil
}

// encode is the row of a record.
func (r Record) encode() []byte {
	rec := storedRecord{Format: 1, Tx: uint64(r.Tx), Entries: make([]storedEntry, len(r.Entries)), Again: r.Again}
	for i := range r.Entries {
		e, d, to := &r.Entries[i], &r.Done[i], &rec.Entries[i]
		if d.Status == 0 {
			*to = storedEntry{Method: e.Method, Path: e.Path, Query: e.Query, IfNoneMatch: e.IfNoneMatch, IfModifiedSince: e.IfModifiedSince}
			continue
		}
		*to = storedEntry{Status: d.Status, Type: d.Version.Type.String(), ID: d.Version.ID, Number: d.Version.Number, Instant: int64(d.Version.Instant)}
	}
	row, _ := json.Marshal(rec) // it has no part that could fail
	return row
}

// decodeRecord reads a row; the record of a failure is its error.
func decodeRecord(row []byte) (*Record, error) {
	var rec storedRecord
	if err := json.Unmarshal(row, &rec); err != nil || rec.Format != 1 {
		return nil, fault.Errorf(fault.Internal, "interaction", "the record of a transaction cannot be read (format %d): %w", rec.Format, errors.Join(err))
	}
	if kind := kindOf(rec.Kind); kind == fault.Internal && len(rec.Issues) > 0 { // a sentence of ours, and no cause that nobody may see
		return nil, fault.Errorf(kind, "interaction.Transact", "%s", rec.Issues[0].Details)
	}
	if rec.Issues != nil {
		return nil, fhir.NewOutcomeError(kindOf(rec.Kind), "interaction.Transact", rec.Issues...)
	}
	out := &Record{Transacted: Transacted{Tx: store.TxID(rec.Tx), Done: make([]Done, len(rec.Entries))}, Entries: make([]Entry, len(rec.Entries)), Again: rec.Again}
	for i := range rec.Entries {
		e := &rec.Entries[i]
		if e.Status == 0 {
			out.Entries[i] = Entry{Method: e.Method, Path: e.Path, Query: e.Query, IfNoneMatch: e.IfNoneMatch, IfModifiedSince: e.IfModifiedSince}
			continue
		}
		code, _ := r4.CodeOf(e.Type)
		out.Done[i] = Done{Status: e.Status, Version: store.Version{Type: code, ID: e.ID, Number: e.Number, Instant: fhir.Instant(e.Instant),
			Deleted: e.Status == http.StatusNoContent && e.Number > 0}}
	}
	return out, nil
}

// readRecord reads the record under a key, if there is one, and makes sure that it lasts: it may show before it is durable.
func readRecord(ctx context.Context, st *store.Store, key []byte) (*Record, bool, error) {
	row, err := st.Rider(ctx, key)
	if err != nil || row == nil {
		return nil, false, err
	}
	rec, err := decodeRecord(row)
	if err != nil {
		return nil, true, err
	}
	head, err := st.Head(ctx)
	if err == nil && head.Tx < rec.Tx {
		// What commits behind it is durable only with it.
		_, err = st.Commit(ctx, store.Transaction{Riders: []store.Rider{{Key: riderKey("none")}}})
	}
	return rec, true, err
}

// encodeFailure is the row of a transaction that failed.
func encodeFailure(err error) []byte {
	kind := fault.KindOf(err)
	rec := storedRecord{Format: 1, Kind: kind.String(), Issues: []fhir.Issue{{Severity: fhir.SeverityError, Code: issueCode(kind), Details: fault.Message(err)}}}
	var told *fhir.OutcomeError
	if errors.As(err, &told) && len(told.Issues) > 0 {
		rec.Issues = told.Issues
	}
	row, _ := json.Marshal(rec)
	return row
}

// kindOf is the kind of fault with a name.
func kindOf(name string) fault.Kind {
	for kind := fault.Internal; kind <= fault.Unprocessable; kind++ {
		if kind.String() == name {
			return kind
		}
	}
	return fault.Invalid
}

// TransactOnce is Transact for a caller who may repeat it: of all transactions with one key one is carried out. For the
// others again is true, and the Record tells what the first did.
func (s *Service) TransactOnce(ctx context.Context, r TransactionRequest) (rec *Record, again bool, err error) {
	st, err := s.datastores.Store(ctx, r.Datastore)
	if err != nil {
		return nil, false, err
	}
	if err := r.Bundle.recordable(); err != nil {
		return nil, false, err
	}
	at := riderKey("once", r.Key)
	if rec, found, err := readRecord(ctx, st, at); found || err != nil {
		return rec, found, err
	}
	now := s.now()
	gone, err := expired(ctx, st, now, func(string) (bool, error) { return false, nil })
	if err != nil {
		return nil, false, err
	}
	keep := r.Keep
	r.Once = append(r.Once, at)
	r.Keep = func(done Transacted) []store.Rider {
		rows := append(slices.Clone(gone), store.Rider{Key: at, Value: Record{Transacted: done, Entries: r.Bundle.Entries}.encode()}, expiry("once/"+r.Key, now))
		if keep != nil {
			rows = append(rows, keep(done)...)
		}
		return rows
	}
	done, err := s.Transact(ctx, r)
	if err != nil { // another one was faster, and what it wrote may be why this one failed
		if rec, found, reading := readRecord(ctx, st, at); found {
			return rec, true, reading
		}
		return nil, false, err
	}
	return &Record{Transacted: done, Entries: r.Bundle.Entries}, false, nil
}

// expiry is the row that lets rows go: name is once/{key} or async/{id}.
func expiry(name string, now time.Time) store.Rider {
	return store.Rider{Key: riderKey("expiry", fmt.Sprintf("%016x", now.Add(RecordLife).UnixMilli()), name), Value: []byte{}}
}

// expiredAtOnce is how many records one commit removes: more than it adds, so that they do not gather.
const expiredAtOnce = 8

// expired are riders that remove some of the rows whose time has come. What waits in the background is left, however late
// the clock says it is: over tells of a transaction without a result whether it waits no more.
func expired(ctx context.Context, st *store.Store, now time.Time, over func(id string) (bool, error)) (gone []store.Rider, _ error) {
	prefix := riderKey("expiry", "")
	due := fmt.Sprintf("%016x", now.UnixMilli())
	n := 0
	for behind := []byte(nil); n < expiredAtOnce; { // each is asked for by itself: no snapshot is held while another is waited for
		r, ok, err := st.NextRider(ctx, prefix, behind)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		behind = r.Key
		when, name, _ := strings.Cut(string(r.Key[len(prefix):]), "/")
		if when > due {
			break
		}
		id, async := strings.CutPrefix(name, "async/")
		if async {
			result, err := st.Rider(ctx, riderKey("result", id))
			ended := result != nil
			if err == nil && !ended {
				ended, err = over(id)
			}
			if err != nil {
				return nil, err
			}
			if !ended {
				continue
			}
			gone = append(gone, store.Rider{Key: riderKey("result", id)})
			for k := range maxPieces {
				gone = append(gone, store.Rider{Key: pieceKey(id, k)})
			}
		}
		n++
		gone = append(gone, store.Rider{Key: r.Key}, store.Rider{Key: riderKey(name)})
	}
	return gone, nil
}
