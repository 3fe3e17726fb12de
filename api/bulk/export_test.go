package bulk

import (
	"bytes"
	"fmt"
)

// RouteTable is the table of routes as text.
func RouteTable() []byte {
	var b bytes.Buffer
	for _, r := range routes {
		fmt.Fprintf(&b, "%-5s %-22s %s\n", r.method, r.path, r.iamAction)
	}
	return b.Bytes()
}
