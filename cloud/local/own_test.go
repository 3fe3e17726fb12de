package local_test

import (
	"strings"
	"testing"

	"tarn/cloud"
	"tarn/fault"
)

func TestOwn_isOutOfEveryPrincipalsReach(t *testing.T) {
	t.Parallel()
	c := newPlace(t).open(t)
	own, err := c.Own(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := own.Put(t.Context(), "secret", strings.NewReader("x"), 1, cloud.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	root := root(c)
	all, err := root.ListBuckets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		if strings.HasPrefix(b.Name, "_") {
			t.Errorf("the root sees the bucket %s", b.Name)
		}
	}
	if _, err := root.GetObject(t.Context(), "_results", "secret"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the root reads the service's bucket: %v", err)
	}
	if err := root.DeleteBucket(t.Context(), "_results"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the root deletes the service's bucket: %v", err)
	}
	if _, err := root.CreateBucket(t.Context(), "_results", "", ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("the root makes a bucket of that name: %v", err)
	}
}
