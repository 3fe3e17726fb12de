package access_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tarn/access"
)

// Context behaves as a map of lower-case keys would.
func TestContext_isAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		model := map[string][]string{}
		var r access.Request
		keys := rapid.SampledFrom([]string{"a:x", "a:y", "s3:prefix", "aws:sourceip"})
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				key, values := keys.Draw(t, "key"), rapid.SliceOfN(rapid.StringN(0, 3, 9), 0, 3).Draw(t, "values")
				r.Context.Set(key, values...)
				model[key] = slices.Clone(values)
				for i := range values {
					values[i] = "changed by the caller"
				}
			},
			"": func(t *rapid.T) {
				for _, key := range []string{"a:x", "a:y", "s3:prefix", "aws:sourceip", "none:x"} {
					var room [1]string
					if got := r.Values(key, &room); !slices.Equal(got, model[key]) {
						t.Fatalf("%s is %q, want %q", key, got, model[key])
					}
				}
			},
		})
	})
}

func TestContext_keysHaveNoCase(t *testing.T) {
	t.Parallel()
	var r access.Request
	r.Context.Set("S3:Prefix", "a")
	r.Context.Set("s3:PREFIX", "b", "c")
	var room [1]string
	if got := r.Values("s3:prefix", &room); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("got %q", got)
	}
}

func TestCredential_expired(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		expires time.Time
		want    bool
	}{{time.Time{}, false}, {now.Add(1), false}, {now, true}, {now.Add(-1), true}} {
		cred := access.Credential{Expires: c.expires}
		if cred.Expired(now) != c.want {
			t.Errorf("expires %v: %v", c.expires, !c.want)
		}
	}
}

func TestWordsForNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{access.Root.String(), "Account"}, {access.Kind(99).String(), "Unknown"},
		{access.ExplicitDeny.String(), "explicit deny"}, {access.Effect(9).String(), "unknown"},
		{access.FromBoundary.String(), "permissions boundary"}, {access.Source(99).String(), "unknown"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
