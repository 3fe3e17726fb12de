package store_test

import (
	"slices"
	"testing"

	"tarn/store"
)

func TestNextRider_walksOverKeysInTheirOrder(t *testing.T) {
	t.Parallel()
	_, space := memorySpace(t)
	s := open(space, &clock{})
	defer s.Close()
	var riders []store.Rider
	for _, key := range []string{"a/2", "a/1/x", "a/1/y", "b/1", "a"} {
		riders = append(riders, store.Rider{Key: []byte(key), Value: []byte("of " + key)})
	}
	if _, err := s.Commit(t.Context(), store.Transaction{Riders: riders}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		prefix, behind string
		want           []string
	}{
		{"a/", "", []string{"a/1/x", "a/1/y", "a/2"}},
		{"a/", "a/1/\xff", []string{"a/2"}},
		{"a/", "a/1/x", []string{"a/1/y", "a/2"}},
		{"a/", "b", nil},
		{"b/", "a", []string{"b/1"}},
		{"c", "", nil},
	} {
		var got []string
		for behind := []byte(c.behind); ; {
			r, ok, err := s.NextRider(t.Context(), []byte(c.prefix), behind)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if string(r.Value) != "of "+string(r.Key) {
				t.Errorf("%s has %q", r.Key, r.Value)
			}
			got, behind = append(got, string(r.Key)), r.Key
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("below %q behind %q: %q, want %q", c.prefix, c.behind, got, c.want)
		}
	}
}
