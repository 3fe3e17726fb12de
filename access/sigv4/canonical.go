package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// canonical writes the canonical request, with path and query in their canonical form.
func canonical(dst []byte, r *http.Request, path, query string, signed []string, payloadHash string) []byte {
	dst = append(dst, r.Method...)
	dst = append(dst, '\n')
	dst = append(dst, path...)
	dst = append(dst, '\n')
	dst = append(dst, query...)
	dst = append(dst, '\n')
	for _, name := range signed {
		dst = append(dst, name...)
		dst = append(dst, ':')
		dst = appendHeader(dst, r, name)
		dst = append(dst, '\n')
	}
	dst = append(dst, '\n')
	for i, name := range signed {
		if i > 0 {
			dst = append(dst, ';')
		}
		dst = append(dst, name...)
	}
	dst = append(dst, '\n')
	return append(dst, payloadHash...)
}

// canonicalPath writes an escaped path as AWS has it. For S3 each byte is escaped once, and an escaped slash stays one;
// for the others the path as it stands is escaped once more.
func canonicalPath(path string, s3 bool) string {
	if path == "" {
		return "/"
	}
	if isPlain(path) {
		return path
	}
	dst := make([]byte, 0, len(path)+16)
	for i := 0; i < len(path); i++ {
		c := path[i]
		if s3 && c == '%' && i+2 < len(path) {
			if hi, lo := unhex(path[i+1]), unhex(path[i+2]); hi < 16 && lo < 16 {
				dst = appendEscaped(dst, hi<<4|lo)
				i += 2
				continue
			}
		}
		if c == '/' {
			dst = append(dst, c)
		} else {
			dst = appendEscaped(dst, c)
		}
	}
	return string(dst)
}

func isPlain(path string) bool {
	for i := range len(path) {
		if path[i] != '/' && !isUnreserved(path[i]) {
			return false
		}
	}
	return true
}

// otherPaths are the ways in which some signers write a path, if they are others than AWS's: dot segments and double
// slashes removed (botocore; not for S3), and the path as it is sent (signers for S3 that leave more unescaped; curl
// before 8.0). All of them mean the path that was sent, and none can be taken for AWS's form of another: that is why a
// path that is sent with escapes is not taken as it is, unless for S3.
func otherPaths(path string, s3 bool) []string {
	own := canonicalPath(path, s3)
	var others []string
	add := func(other string) {
		if other != own && other != "" {
			others = append(others, other)
		}
	}
	if s3 {
		add(path)
		return others
	}
	add(canonicalPath(removeDots(path), false))
	if strings.IndexByte(path, '%') < 0 {
		add(path)
	}
	return others
}

// otherQueries are the ways in which some signers write a query: sorted before it is escaped (older SDKs for Go), as it
// is sent but sorted (botocore), and just as it is sent (curl before 8.0).
func otherQueries(query string) []string {
	own := canonicalQuery(query, escapedFirst)
	var others []string
	for _, other := range []string{canonicalQuery(query, sortedFirst), canonicalQuery(query, asSent), query} {
		if other != own && !strings.Contains(other, "X-Amz-Signature=") {
			others = append(others, other)
		}
	}
	return others
}

// removeDots resolves "." and "..", and joins slashes.
func removeDots(path string) string {
	var out []string
	for part := range strings.SplitSeq(path, "/") {
		switch part {
		case "", ".":
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
		default:
			out = append(out, part)
		}
	}
	clean := "/" + strings.Join(out, "/")
	if len(out) > 0 && strings.HasSuffix(path, "/") {
		clean += "/"
	}
	return clean
}

// queryForm says how the pairs of a query are escaped and sorted.
type queryForm uint8

const (
	escapedFirst queryForm = iota // AWS's form: escaped, then sorted
	sortedFirst                   // sorted, then escaped
	asSent                        // sorted as they were sent
)

// pair is one parameter of the query.
type pair struct{ name, value string }

// canonicalQuery writes the query sorted by name, then value, without X-Amz-Signature.
func canonicalQuery(query string, form queryForm) string {
	if query == "" {
		return ""
	}
	var room [16]pair
	pairs := room[:0]
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		if part == "" || name == "X-Amz-Signature" {
			continue
		}
		switch form {
		case escapedFirst:
			name, value = escape(name), escape(value)
		case sortedFirst:
			name, value = unescape(name), unescape(value)
		}
		pairs = append(pairs, pair{name, value})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	dst := make([]byte, 0, len(query)+16)
	for i, p := range pairs {
		if i > 0 {
			dst = append(dst, '&')
		}
		if form == sortedFirst {
			p.name, p.value = escape(p.name), escape(p.value)
		}
		dst = append(dst, p.name...)
		dst = append(dst, '=')
		dst = append(dst, p.value...)
	}
	return string(dst)
}

// escape brings a name or value of a query, escaped or not, to AWS's form.
func escape(s string) string {
	if isCanonical(s) {
		return s
	}
	s = unescape(s)
	dst := make([]byte, 0, len(s)+16)
	for i := range len(s) {
		dst = appendEscaped(dst, s[i])
	}
	return string(dst)
}

// isCanonical reports whether s is in AWS's form already.
func isCanonical(s string) bool {
	for i := 0; i < len(s); i++ {
		if isUnreserved(s[i]) {
			continue
		}
		if s[i] != '%' || i+2 >= len(s) {
			return false
		}
		hi, lo := unhex(s[i+1]), unhex(s[i+2])
		if hi > 15 || lo > 15 || isUnreserved(hi<<4|lo) || s[i+1] >= 'a' || s[i+2] >= 'a' {
			return false
		}
		i += 2
	}
	return true
}

// unescape undoes percent-encoding and takes '+' for a space, as net/url does; what is no escape stays.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	dst := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			c = ' '
		} else if c == '%' && i+2 < len(s) {
			if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi < 16 && lo < 16 {
				c = hi<<4 | lo
				i += 2
			}
		}
		dst = append(dst, c)
	}
	return string(dst)
}

// appendHeader writes the values of a header, joined by commas, each trimmed and with runs of spaces made one.
func appendHeader(dst []byte, r *http.Request, name string) []byte {
	if name == "host" {
		host := r.Host
		if host == "" && r.URL != nil {
			host = r.URL.Host
		}
		return appendTrimmed(dst, host)
	}
	values := r.Header[http.CanonicalHeaderKey(name)]
	if len(values) == 0 {
		switch {
		case name == "content-length" && r.ContentLength >= 0:
			return strconv.AppendInt(dst, r.ContentLength, 10)
		case name == "transfer-encoding":
			values = r.TransferEncoding
		}
	}
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendTrimmed(dst, v)
	}
	return dst
}

func appendTrimmed(dst []byte, v string) []byte {
	v = strings.TrimSpace(v)
	if !strings.Contains(v, "  ") {
		return append(dst, v...)
	}
	for i := range len(v) {
		if v[i] != ' ' || v[i-1] != ' ' { // v begins with no space
			dst = append(dst, v[i])
		}
	}
	return dst
}

const upperHex = "0123456789ABCDEF"

func appendEscaped(dst []byte, c byte) []byte {
	if isUnreserved(c) {
		return append(dst, c)
	}
	return append(dst, '%', upperHex[c>>4], upperHex[c&15])
}

func isUnreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~'
}

// unhex is the value of a hexadecimal digit, or 255.
func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// sign is the signature of a canonical request.
func sign(key *[32]byte, amzDate, scope string, request []byte) (signature [64]byte) {
	hash := sha256.Sum256(request)
	var room [256]byte
	text := append(room[:0], algorithm+"\n"...)
	text = append(text, amzDate...)
	text = append(text, '\n')
	text = append(text, scope...)
	text = append(text, '\n')
	text = hex.AppendEncode(text, hash[:])
	sum := mac(key[:], text)
	hex.Encode(signature[:], sum[:])
	return signature
}

func mac(key, text []byte) (sum [32]byte) {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	h.Sum(sum[:0])
	return sum
}

// derive makes the signing key of a scope.
func derive(secret, date, region, service string) [32]byte {
	key := mac([]byte("AWS4"+secret), []byte(date))
	key = mac(key[:], []byte(region))
	key = mac(key[:], []byte(service))
	return mac(key[:], []byte(terminal))
}
