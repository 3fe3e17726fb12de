package interaction_test

import (
	"context"
	"errors"
	"testing"

	"tarn/fault"
	"tarn/fhir"
	"tarn/interaction"
	"tarn/store"
)

// nowhere has no data store.
type nowhere struct{}

var errNowhere = fault.Errorf(fault.NotFound, "test", "There is no data store.")

func (nowhere) Store(context.Context, string) (*store.Store, error) { return nil, errNowhere }

// Whatever is posted is refused as the caller's fault, or read into entries that hold what their methods need.
func FuzzReadBundle(f *testing.F) {
	f.Add(`{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:a","resource":{"resourceType":"Patient","id":"1"},"request":{"method":"PUT","url":"Patient/1","ifMatch":"W/\"1\""}},{"request":{"method":"DELETE","url":"Patient?identifier=a"}}]}`)
	f.Add(`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient","ifNoneExist":"a=b"}},{"request":{"method":"GET","url":"Patient?x"}},7,{}]}`)
	f.Add(`{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"http://x/Patient/1","resource":{"resourceType":"Basic","subject":{"reference":"Patient/1/_history/2#x"}},"request":{"method":"POST","url":"Basic"}}]}`)
	f.Add(`{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Parameters"},"request":{"method":"PATCH","url":"Patient/1"}}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		s := interaction.New(nowhere{}, fhir.Limits{})
		b, err := s.ReadBundle(base, []byte(body))
		if err != nil {
			var told *fhir.OutcomeError
			if kind := fault.KindOf(err); kind != fault.Invalid && kind != fault.TooLarge || !errors.As(err, &told) {
				t.Fatalf("%s: %v", kind, err)
			}
			return
		}
		defer b.Close()
		for i := range b.Entries {
			e := &b.Entries[i]
			if e.Writes() && e.Refused == nil && e.Method != "DELETE" && len(e.Resource()) == 0 {
				t.Fatalf("entry %d is a %s without a resource", i, e.Method)
			}
		}
		_, err = s.Transact(t.Context(), interaction.TransactionRequest{Datastore: place, Base: base, Bundle: b})
		if kind := fault.KindOf(err); kind != fault.Invalid && kind != fault.NotFound {
			t.Fatalf("%s: %v", kind, err)
		}
	})
}
