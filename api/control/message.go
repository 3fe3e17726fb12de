package control

import (
	"strings"
	"unicode"
)

// maxMessage is the length of a job's Message in the model.
const maxMessage = 2048

// plain puts a sentence into the alphabet that HealthLake's model allows in a job's Message: letters, numbers, spaces
// and _.:/=+-%@. What has no place there becomes a space, a dot or nothing, so that the words stay.
func plain(s string) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		keep := ""
		switch {
		case strings.ContainsRune("_.:/=+-%@", r) || unicode.In(r, unicode.L, unicode.N):
			keep = string(r)
		case strings.ContainsRune("\"'`()[]{}<>’‘“”", r):
			continue
		case strings.ContainsRune(";!?", r):
			keep = "."
		case r == '…':
			keep = "..."
		default:
			space = true
			continue
		}
		if space && n > 0 {
			keep = " " + keep
		}
		space = false
		if n += len([]rune(keep)); n > maxMessage {
			break
		}
		b.WriteString(keep)
	}
	return b.String()
}
