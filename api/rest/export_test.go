package rest

import (
	"fmt"
	"strings"
)

// RoutesForTest is the table of routes as text.
func RoutesForTest() string {
	var b strings.Builder
	for _, r := range routes() {
		fmt.Fprintf(&b, "%-7s %-28s %s\n", r.method, r.pattern, r.iamAction)
	}
	return b.String()
}
