package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// writers change resources and journal every answer. Each original is changed by one of them; some resources are
// changed by all, since the versions in the answers tell their order.
type writers struct {
	*target
	journal *journal
	count   atomic.Int64 // writes that were answered or lost
	lost    atomic.Int64
	turn    atomic.Int64 // makes each body another
}

// change does something to one original; n says what.
func (w *writers) change(ctx context.Context, n int, o, hot original) error {
	put := func(o original) error { return w.put(ctx, o, w.revise(o.body, o.id)) }
	switch n % 20 {
	case 0: // gone
		return w.delete(ctx, o)
	case 1: // gone, and there again
		if err := w.delete(ctx, o); err != nil {
			return err
		}
		return put(o)
	case 2: // a new one under an id of the server's
		return w.post(ctx, o.kind, w.revise(o.body, ""))
	case 3: // a new one under an id of ours, then gone
		fresh := original{o.kind, fmt.Sprintf("checker-%d", w.turn.Add(1)), o.body}
		if err := put(fresh); err != nil {
			return err
		}
		return w.delete(ctx, fresh)
	case 4: // twice, the second time with other white space
		if err := put(o); err != nil {
			return err
		}
		var spaced bytes.Buffer
		if err := json.Indent(&spaced, w.revise(o.body, o.id), "", "\t"); err != nil {
			return err
		}
		return w.put(ctx, o, spaced.Bytes())
	case 5: // one that all writers change
		return put(hot)
	}
	return put(o)
}

// revise gives a resource another language, so that no two versions are alike, and the id; an empty one leaves it out.
// Every third one comes without meta.
func (w *writers) revise(body []byte, id string) []byte {
	turn := w.turn.Add(1)
	var compact bytes.Buffer
	_ = json.Compact(&compact, body) // it was read before
	out := []byte{'{'}
	_ = members(compact.Bytes(), func(name string, whole, _ []byte) error {
		if name != "id" && name != "language" && (name != "meta" || turn%3 != 0) {
			out = append(append(out, whole...), ',')
		}
		return nil
	})
	if id != "" {
		out = fmt.Appendf(out, `"id":%q,`, id)
	}
	return fmt.Appendf(out, `"language":"en-x-%d"}`, turn)
}

func (w *writers) put(ctx context.Context, o original, body []byte) error {
	return w.write(ctx, http.MethodPut, o.kind+"/"+o.id, entry{Op: "put", Type: o.kind, ID: o.id}, body)
}

func (w *writers) post(ctx context.Context, kind string, body []byte) error {
	return w.write(ctx, http.MethodPost, kind, entry{Op: "put", Type: kind}, body)
}

// write sends a body, holds the answer against it and journals both.
func (w *writers) write(ctx context.Context, method, path string, e entry, body []byte) error {
	sent, err := read(body)
	if err != nil {
		return err
	}
	e.Sent, e.Sum = time.Now(), sent.sum
	status, answer, err := w.fhir(ctx, method, path, body)
	e.Time = time.Now()
	w.count.Add(1)
	if err != nil || status >= 500 {
		return w.loss(ctx, e, method == http.MethodPost)
	}
	if status != http.StatusOK && status != http.StatusCreated {
		return fmt.Errorf("%s %s: status %d: %s", method, path, status, answer)
	}
	got, err := read(answer)
	if err != nil {
		return fmt.Errorf("%s %s: the answer: %w", method, path, err)
	}
	if got.kind != e.Type || got.sum != e.Sum || e.ID != "" && got.id != e.ID {
		return fmt.Errorf("%s %s: the answer is another resource than was sent", method, path)
	}
	e.ID, e.Updated = got.id, got.updated
	if _, err := fmt.Sscanf(got.version, "%d", &e.Version); err != nil {
		return fmt.Errorf("%s %s: versionId %q", method, path, got.version)
	}
	return w.journal.append(e)
}

// loss journals a write that got no answer.
func (w *writers) loss(ctx context.Context, e entry, nameless bool) error {
	w.lost.Add(1)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if nameless {
		return fmt.Errorf("a create was not answered: nobody knows the id that it may have got")
	}
	e.Op = "lost"
	return w.journal.append(e)
}

// delete deletes a resource, and asks its history for the instant, which the answer of a delete does not tell.
func (w *writers) delete(ctx context.Context, o original) error {
	e := entry{Op: "delete", Type: o.kind, ID: o.id, Sent: time.Now()}
	path := o.kind + "/" + o.id
	status, answer, err := w.fhir(ctx, http.MethodDelete, path, nil)
	e.Time = time.Now()
	w.count.Add(1)
	if err != nil || status >= 500 {
		return w.loss(ctx, e, false)
	}
	if status != http.StatusNoContent && status != http.StatusOK {
		return fmt.Errorf("DELETE %s: status %d: %s", path, status, answer)
	}
	var history struct {
		Entry []struct {
			Request  struct{ Method string }
			Response struct{ ETag, LastModified string }
		}
	}
	status, answer, err = w.fhir(ctx, http.MethodGet, path+"/_history?_count=1", nil)
	if err == nil && status == http.StatusOK {
		err = json.Unmarshal(answer, &history)
	}
	if err != nil || len(history.Entry) != 1 || history.Entry[0].Request.Method != http.MethodDelete {
		return fmt.Errorf("the history of %s, deleted just now, does not begin with that: status %d, %v", path, status, err)
	}
	e.Updated = history.Entry[0].Response.LastModified
	if _, err := fmt.Sscanf(strings.TrimPrefix(history.Entry[0].Response.ETag, "W/"), `"%d"`, &e.Version); err != nil {
		return fmt.Errorf("the history of %s has an ETag %q", path, history.Entry[0].Response.ETag)
	}
	return w.journal.append(e)
}
