package erase_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/erase"
	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/kv/kvtest"
	"tarn/store"
)

// sendInVain puts a large patient whose transaction fails, and what it has uploaded cannot be erased.
func (w *world) sendInVain(text string) {
	w.t.Helper()
	parser := fhir.NewParser(fhir.Limits{})
	r, err := parser.Parse([]byte(text))
	must(w.t, err)
	writes := 0
	w.faults.Hook(func(kvtest.Write) kvtest.Fault {
		if writes++; writes == 1 {
			return kvtest.NoFault
		}
		return kvtest.Before
	})
	_, err = w.data.Commit(w.t.Context(), store.Transaction{Writes: []store.Write{{Op: store.Put, Type: r.Code(), ID: r.ID(), Resource: r, Epoch: index.Epoch}}})
	w.faults.Hook(nil)
	if !fault.Is(err, fault.Unavailable) || w.holds("secretive") == "" {
		w.t.Fatalf("%v; row %q is left", err, w.holds("secretive"))
	}
}

const large = `{"resourceType":"Patient","id":"p1","name":[{"family":"Secretive","text":"`

// TestErasure_takesWhatWasSentInVain erases a resource that was sent twice: the first time nobody took it.
func TestErasure_takesWhatWasSentInVain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		text := large + strings.Repeat("x", 1100<<10) + `"}]}`
		w.sendInVain(text)
		w.put(text)
		id, _, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		if p := w.until(t.Context(), id, erase.Done); p.State != erase.Done {
			t.Errorf("%+v", p)
		}
		if row := w.holds("secretive"); row != "" {
			t.Errorf("row %q still tells", row)
		}
	})
}

// TestRun_erasesWhatNobodyTakes runs for a while after a commit has failed.
func TestRun_erasesWhatNobodyTakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.sendInVain(large + strings.Repeat("x", 1100<<10) + `"}]}`)
		lists := 0
		list := w.o.List
		w.o.List = func(ctx context.Context) ([]string, error) {
			if lists++; lists <= 2 {
				return nil, fault.Errorf(fault.Unavailable, "test", "they cannot be listed now")
			}
			return list(ctx)
		}
		w.svc = erase.New(w.o)
		stop := w.run(t.Context())
		time.Sleep(4 * time.Hour)
		stop()
		if row := w.holds("secretive"); row != "" {
			t.Errorf("row %q still tells", row)
		}
	})
}
