package local_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tarn/cloud/local"
)

// TestList_agreesWithAPlainModel puts and deletes names of few letters, and lists them in every way.
func TestList_agreesWithAPlainModel(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.open(t)
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		s := root(c)
		n++
		bucket := fmt.Sprintf("bucket-%d", n)
		must(s.CreateBucket(t.Context(), bucket, "", ""))(t)
		name := rapid.StringMatching(`[ab/ÿ]{1,5}`)
		model := map[string]bool{}
		for range rapid.IntRange(0, 12).Draw(r, "steps") {
			key := name.Draw(r, "key")
			if rapid.IntRange(0, 3).Draw(r, "delete") == 0 {
				check(t, s.DeleteObject(t.Context(), bucket, key))
				delete(model, key)
			} else {
				must(s.PutObject(t.Context(), local.PutRequest{Bucket: bucket, Key: key, Body: strings.NewReader("")}))(t)
				model[key] = true
			}
		}
		prefix := rapid.StringMatching(`[ab/]{0,2}`).Draw(r, "prefix")
		delimiter := rapid.SampledFrom([]string{"", "/", "a", "/a"}).Draw(r, "delimiter")
		limit := rapid.IntRange(1, 4).Draw(r, "limit")
		var want []string
		for key := range model {
			if !strings.HasPrefix(key, prefix) {
				continue
			}
			if i := strings.Index(key[len(prefix):], delimiter); delimiter != "" && i >= 0 {
				key = key[:len(prefix)+i+len(delimiter)] + " (prefix)"
			}
			if !slices.Contains(want, key) {
				want = append(want, key)
			}
		}
		slices.Sort(want)
		var got []string
		for after, more := "", true; more; {
			page := must(s.ListObjects(t.Context(), local.ListRequest{Bucket: bucket, Prefix: prefix, Delimiter: delimiter, After: after, Max: limit}))(t)
			if len(page.Objects)+len(page.Prefixes) > limit {
				r.Fatalf("a page of %d, the limit is %d", len(page.Objects)+len(page.Prefixes), limit)
			}
			for _, o := range page.Objects {
				got = append(got, o.Key)
			}
			for _, p := range page.Prefixes {
				got = append(got, p+" (prefix)")
			}
			after, more = page.Next, page.Truncated
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			r.Fatalf("prefix %q, delimiter %q, pages of %d: %q, want %q", prefix, delimiter, limit, got, want)
		}
	})
}
