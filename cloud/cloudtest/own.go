package cloudtest

import (
	"bytes"
	"io"
	"testing"

	"tarn/cloud"
	"tarn/fault"
)

func own(t *testing.T, s Stage, _ cloud.Role) {
	b, err := s.Cloud.Own(t.Context())
	if err != nil {
		t.Fatalf("Own: %v", err)
	}
	body := Bytes("own", 200_000)
	for range 2 { // a put may be repeated
		if err := b.Put(t.Context(), "job/a", bytes.NewReader(body), int64(len(body)), cloud.PutOptions{ContentType: "text/plain"}); err != nil {
			t.Fatalf("Put: %v", err)
		}
	}
	again, err := s.Cloud.Own(t.Context())
	if err != nil {
		t.Fatalf("Own again: %v", err)
	}
	r, err := again.Get(t.Context(), "job/a", 1000, 50_000)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	got, err := io.ReadAll(r)
	if err != nil || r.Close() != nil || !bytes.Equal(got, body[1000:51_000]) {
		t.Errorf("what was put is not what is read: %v", err)
	}
	n := 0
	for o, err := range again.List(t.Context(), "job/") {
		if err != nil || o.Key != "job/a" || o.Size != int64(len(body)) {
			t.Errorf("List: %+v %v", o, err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("List gave %d objects", n)
	}
	for range 2 {
		if err := b.Delete(t.Context(), "job/a"); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	if _, err := b.Get(t.Context(), "job/a", 0, -1); !fault.Is(err, fault.NotFound) {
		t.Errorf("a deleted object: %v", err)
	}
}
