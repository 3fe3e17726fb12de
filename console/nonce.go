package console

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// nonce tells one showing of a form from another.
func nonce() string { return random()[:22] }

// clientToken makes a request idempotent: the same form sent twice with the same values is one request, with other
// values another one.
func clientToken(nonce string, values ...string) string {
	sum := sha256.Sum256([]byte(nonce + "\x00" + strings.Join(values, "\x00")))
	return hex.EncodeToString(sum[:16])
}
