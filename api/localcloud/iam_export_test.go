package localcloud

import (
	"fmt"
	"strings"
)

// IAMRows is the table of IAM's actions, one a line.
func IAMRows() string {
	var b strings.Builder
	for _, row := range iamRows {
		fmt.Fprintf(&b, "%s\tiam:%s on %s\n", row.action, row.action, row.on)
	}
	return b.String()
}

// STSRows is the table of STS's actions, one a line.
func STSRows() string {
	var b strings.Builder
	for _, row := range stsRows {
		permission := "-"
		if row.authorized {
			permission = "sts:" + row.action
		}
		fmt.Fprintf(&b, "%s\t%s\n", row.action, permission)
	}
	return b.String()
}
