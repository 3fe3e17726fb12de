package edge

import (
	"regexp"
	"unicode/utf8"
)

// Plain is HealthLake's pattern of names, and Token that of client tokens.
const (
	Plain = `^([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)$`
	Token = `^[a-zA-Z0-9-]+$`
)

var plainPattern, tokenPattern = regexp.MustCompile(Plain), regexp.MustCompile(Token)

// ValidJobName and ValidClientToken report whether the start of a job may be given such a name and such a token; none is
// one too.
func ValidJobName(s string) bool {
	return utf8.RuneCountInString(s) <= 64 && plainPattern.MatchString(s)
}
func ValidClientToken(s string) bool { return len(s) <= 64 && (s == "" || tokenPattern.MatchString(s)) }
