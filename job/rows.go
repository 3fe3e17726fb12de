package job

import (
	"encoding/json"
	"fmt"
	"time"

	"tarn/fault"
)

// format is the number that every JSON row of the ledger carries.
const format = 1

func seqKey() []byte                   { return []byte("job/seq") }
func queuesPrefix() []byte             { return []byte("job/q/") }
func queueKey(k Kind, d string) []byte { return []byte("job/q/" + string(k) + "/" + d) }
func recordKey(id string) []byte       { return []byte("job/r/" + id) }
func paramsKey(id string) []byte       { return []byte("job/p/" + id) }
func planPrefix(id string) []byte      { return []byte("job/l/" + id + "/") }
func planKey(id string, n int) []byte  { return fmt.Appendf(nil, "job/l/%s/%08x", id, n) }
func checkpointPrefix(id string) []byte {
	return []byte("job/c/" + id + "/")
}
func checkpointKey(id, key string) []byte { return []byte("job/c/" + id + "/" + key) }
func tokenKey(k Kind, token string) []byte {
	return []byte("job/t/" + string(k) + "/" + token)
}

// scope names one of the three list indexes; data store ids are hex and kinds have no slash, so they cannot collide.
func scope(datastore string, k Kind) string {
	switch {
	case datastore == "":
		return "all"
	case k == "":
		return datastore
	}
	return datastore + "." + string(k)
}

func indexPrefix(scope string) []byte { return []byte("job/i/" + scope + "/") }
func indexKey(scope string, submitted time.Time, seq uint64) []byte {
	return fmt.Appendf(nil, "job/i/%s/%016x%016x", scope, uint64(submitted.UnixMilli()), seq)
}

// row is the record's form on disk; Params lie apart since they never change.
type row struct {
	Format      int      `json:"v"`
	ID          string   `json:"id"`
	Datastore   string   `json:"datastore"`
	Kind        Kind     `json:"kind"`
	Name        string   `json:"name,omitempty"`
	State       State    `json:"state"`
	Planned     int      `json:"planned,omitempty"` // pieces + 1; 0: no plan
	Progress    Progress `json:"progress,omitzero"`
	Rate        Pace     `json:"rate,omitzero"`
	Paced       int64    `json:"paced,omitempty"` // ms since 1970: until when Rate counts
	Message     string   `json:"message,omitempty"`
	Submitted   int64    `json:"submitted"` // ms since 1970
	Started     int64    `json:"started,omitempty"`
	Ended       int64    `json:"ended,omitempty"`
	Seq         uint64   `json:"seq"`
	ClientToken string   `json:"token,omitempty"`
	Term        uint64   `json:"term,omitempty"`
	Beat        uint64   `json:"beat,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Discarded   int64    `json:"discarded,omitempty"` // ms since 1970
	Abandoned   string   `json:"abandoned,omitempty"` // the Message that it is to fail with
}

// record is the row for the outside world.
func (r *row) record(params []byte) Record {
	return Record{ID: r.ID, Datastore: r.Datastore, Kind: r.Kind, Name: r.Name, State: r.State, Params: params,
		Planned: r.Planned > 0, Progress: r.Progress, Pace: r.Rate, Message: r.Message, SubmitTime: fromMilli(r.Submitted),
		StartTime: fromMilli(r.Started), EndTime: fromMilli(r.Ended), Seq: r.Seq, ClientToken: r.ClientToken,
		Term: r.Term, Beat: r.Beat, Owner: r.Owner, Discarded: fromMilli(r.Discarded)}
}

// end notes when the job ended. Should the clock have been set back since the job began, it began no later: a time that is
// yet to come would keep for years what goes some time after the end.
func (r *row) end(now time.Time) {
	r.Ended = now.UnixMilli()
	r.Started = min(r.Started, r.Ended)
}

func fromMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// queue is who runs and who waits, of one kind in one data store.
type queue struct {
	Format  int     `json:"v"`
	Running *place  `json:"running,omitempty"`
	Waiting []place `json:"waiting,omitempty"` // oldest first
}

// place is one job's place in its queue.
type place struct {
	ID     string `json:"id"`
	Seq    uint64 `json:"seq"`
	Cancel bool   `json:"cancel,omitempty"` // a cancel was accepted
	Queued bool   `json:"queued,omitempty"` // its state says QUEUED

	Abandoned bool `json:"abandoned,omitempty"` // it is to fail
}

// ends reports whether the job is to end without being done.
func (p *place) ends() bool { return p.Cancel || p.Abandoned }

// live is how many wait to be done.
func (q *queue) live() int {
	n := 0
	for _, p := range q.Waiting {
		if !p.ends() {
			n++
		}
	}
	return n
}

// remove takes a job out of the queue wherever it stands; false if it is not in it.
func (q *queue) remove(id string) bool {
	if q.Running != nil && q.Running.ID == id {
		q.Running = nil
		return true
	}
	for i, p := range q.Waiting {
		if p.ID == id {
			q.Waiting = append(q.Waiting[:i:i], q.Waiting[i+1:]...)
			return true
		}
	}
	return false
}

// find is the job's place, or nil.
func (q *queue) find(id string) *place {
	if q.Running != nil && q.Running.ID == id {
		return q.Running
	}
	for i := range q.Waiting {
		if q.Waiting[i].ID == id {
			return &q.Waiting[i]
		}
	}
	return nil
}

// sequence is the last numbers given out.
type sequence struct {
	Format    int    `json:"v"`
	Seq       uint64 `json:"seq"`
	Submitted int64  `json:"submitted"`
}

// token remembers an idempotent call.
type token struct {
	Format      int    `json:"v"`
	ID          string `json:"id"`
	Datastore   string `json:"datastore"`
	Fingerprint string `json:"fingerprint"`
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil { // the row types above cannot fail
		return nil
	}
	return data
}

// decode reads a row; an absent one leaves v as it is and is reported by ok.
func decode(data []byte, v any, what string) (ok bool, err error) {
	if data == nil {
		return false, nil
	}
	var head struct {
		Format int `json:"v"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return false, fault.Errorf(fault.Internal, "job", "%s is damaged: %w", what, err)
	}
	if head.Format != format {
		return false, fault.Errorf(fault.Internal, "job", "%s has format %d; this program knows format %d", what, head.Format, format)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fault.Errorf(fault.Internal, "job", "%s is damaged: %w", what, err)
	}
	return true, nil
}

func decodeRow(data []byte, id string) (*row, error) {
	r := new(row)
	ok, err := decode(data, r, "the record of job "+id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.Errorf(fault.NotFound, "job", "There is no job %s.", id)
	}
	return r, nil
}

func decodeQueue(data []byte, k Kind, datastore string) (*queue, error) {
	q := &queue{Format: format}
	_, err := decode(data, q, "the queue "+string(k)+"/"+datastore)
	return q, err
}

// setQueue writes the queue, or removes its row when nobody is in it.
func setQueue(b batch, k Kind, datastore string, q *queue) {
	if q.Running == nil && len(q.Waiting) == 0 {
		b.Delete(queueKey(k, datastore))
		return
	}
	b.Set(queueKey(k, datastore), encode(q))
}

type batch interface {
	Set(key, value []byte)
	Delete(key []byte)
}
