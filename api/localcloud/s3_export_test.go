package localcloud

import (
	"fmt"
	"strings"
)

// S3Rows is the table of S3's actions, one a line.
func S3Rows() string {
	var b strings.Builder
	for _, row := range s3Routes {
		sub := ""
		if row.Sub != "" {
			sub = "?" + row.Sub
		}
		if row.Header != "" {
			sub += " " + row.Header
		}
		fmt.Fprintf(&b, "%-6s %-7s %-26s %s\n", row.Method, row.On, sub, row.Action)
	}
	return b.String()
}

// KMSRows is the table of KMS's actions, one a line.
func KMSRows() string {
	var b strings.Builder
	for _, row := range kmsRoutes {
		fmt.Fprintln(&b, row.Action)
	}
	return b.String()
}

// ByteRange is byteRange.
func ByteRange(text string, size int64) (offset, n int64, partial bool, err error) {
	return byteRange(text, size)
}
