package bulk

import (
	"bytes"
	"fmt"
	"time"
)

// PollsForTest is the counting of polls by a clock.
func PollsForTest(now func() time.Time) func(caller, job string) time.Duration {
	p := &polls{now: now}
	return p.take
}

// RouteTable is the table of routes as text.
func RouteTable() []byte {
	var b bytes.Buffer
	for _, r := range routes {
		fmt.Fprintf(&b, "%-5s %-22s %s\n", r.method, r.path, r.iamAction)
	}
	return b.Bytes()
}
