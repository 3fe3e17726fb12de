package bulk_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"tarn/api/bulk"
	"tarn/api/client"
)

func TestPolls_areManyButNotEndless(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	take := bulk.PollsForTest(func() time.Time { return now })
	spend := func(caller, job string) (n int) {
		for take(caller, job) == 0 {
			n++
		}
		return n
	}
	if n := spend("ann", "1"); n != 120 {
		t.Errorf("%d polls at once", n)
	}
	if wait := take("ann", "1"); wait != time.Second {
		t.Errorf("the next after %v", wait)
	}
	if n := spend("ann", "2"); n != 120 {
		t.Errorf("%d polls of another export", n)
	}
	if n := spend("bob", "1"); n != 120 {
		t.Errorf("%d polls by another caller", n)
	}
	now = now.Add(time.Second)
	if n := spend("ann", "1"); n != 4 {
		t.Errorf("%d polls a second later", n)
	}
	now = now.Add(-time.Hour) // set back
	if n := spend("ann", "1"); n != 0 {
		t.Errorf("%d polls when the clock is set back", n)
	}
	now = now.Add(time.Hour + time.Hour)
	if n := spend("ann", "1"); n != 120 {
		t.Errorf("%d polls an hour later", n)
	}
	for range 3600 { // who keeps to Retry-After
		if now = now.Add(time.Second); take("cid", "1") != 0 {
			t.Fatal("one poll a second is refused")
		}
	}
}

func TestStatus_isRefusedToWhoAsksTooOften(t *testing.T) {
	t.Parallel()
	ask := func(c *client.Client, times int) (n int, refused error) {
		for n < times {
			resp, err := c.FHIR(t.Context(), http.MethodGet, active, "export/"+jobID, nil)
			if err != nil {
				return n, err
			}
			_ = resp.Body.Close()
			n++
		}
		return n, nil
	}
	now := func() time.Time { return time.Unix(1_000_000, 0) }
	n, err := ask(open(t, &stage{own: true, now: now}, everything), 200)
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusTooManyRequests || refused.Code != "throttled" || n != 120 {
		t.Errorf("after %d polls: %v", n, err)
	}
	// HealthLake's own form knows no such refusal.
	if n, err := ask(open(t, &stage{now: now}, everything), 200); err != nil || n != 200 {
		t.Errorf("after %d polls of an export to a caller's bucket: %v", n, err)
	}
}
