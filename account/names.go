package account

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// Limits of IAM. Those that AWS lets its customers raise stand at AWS's default.
const (
	MaxUsers          = 5000
	MaxGroups         = 300
	MaxRoles          = 1000
	MaxPolicies       = 1500
	MaxAttached       = 10 // managed policies on one user, group or role
	MaxVersions       = 5  // of one managed policy
	MaxKeys           = 2  // access keys of one user, or of the root
	MaxUserGroups     = 10 // groups that one user is in
	MaxTags           = 50
	maxGroupInline    = 5120 // characters of all inline policies of a group
	maxDescription    = 1000
	maxPath           = 512
	maxNameUserOrRole = 64
	maxNameOther      = 128
)

// newID is a fresh id with one of IAM's prefixes: AIDA (user), AGPA (group), AROA (role), ANPA (managed policy), AKIA
// (access key) with 16 letters and digits, ASIA (key of a session) likewise.
func newID(prefix string) string {
	var b [15]byte
	rand.Read(b[:])
	n := 17 // IAM's ids have 21 characters
	if prefix == "AKIA" || prefix == "ASIA" {
		n = 16
	}
	return prefix + base32.StdEncoding.EncodeToString(b[:])[:n]
}

// newSecret is a secret of 40 characters, 30 random bytes.
func newSecret() string {
	var b [30]byte
	rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// checkName holds a name against [\w+=,.@-]{1,max}; what is the parameter's name, for the sentence.
func checkName(what, name string, max int) error {
	if name == "" || len(name) > max {
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have length between 1 and %d", brief(name), what, max)
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("_+=,.@-", c) < 0 {
			return invalid("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", what)
		}
	}
	return nil
}

// checkPath wants "/" or "/some/thing/".
func checkPath(path string) error {
	ok := len(path) >= 1 && len(path) <= maxPath && path[0] == '/' && path[len(path)-1] == '/'
	for i := range len(path) {
		ok = ok && path[i] >= 0x21 && path[i] <= 0x7e
	}
	if !ok {
		return invalid("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return nil
}

// checkText bounds a description.
func checkText(what, text string) error {
	if utf8.RuneCountInString(text) > maxDescription {
		return invalid("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", what, maxDescription)
	}
	for _, r := range text {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == utf8.RuneError {
			return invalid("The specified value for %s is invalid. It must not contain control characters.", what)
		}
	}
	return nil
}

// brief keeps foreign text in sentences short.
func brief(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "..."
	}
	return s
}
