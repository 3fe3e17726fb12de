// Package sigv4 finds out who signed a request: it verifies and makes AWS Signature Version 4, in the Authorization
// header and in presigned URLs, with plain, unsigned and aws-chunked bodies. It does no I/O but to read the body that
// it is handed.
//
// The way of a request:
//
//	auth, cred, err := verifier.Authenticate(ctx, r, directory, now) // who; r.Body is now checked while it is read
//	body, err := io.ReadAll(r.Body)                                   // fails where the body is not what was signed
//
// The rules are those of "Authenticating Requests (AWS Signature Version 4)" in the S3 API reference and of "Create a
// signed AWS API request" in the IAM user guide.
package sigv4

import "time"

const (
	algorithm = "AWS4-HMAC-SHA256"
	timeForm  = "20060102T150405Z"
	dateForm  = "20060102"
	terminal  = "aws4_request"
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// Values of x-amz-content-sha256 that are no hash.
const (
	UnsignedPayload          = "UNSIGNED-PAYLOAD"
	streamingSigned          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamingSignedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	streamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// Bounds of time.
const (
	MaxSkew    = 15 * time.Minute   // how far the clocks of signer and server may be apart
	MaxExpires = 7 * 24 * time.Hour // how long a presigned URL may be good
)

// EmptyPayload is the hash of an empty body, for Sign.
const EmptyPayload = emptyHash

// Credentials sign requests. Token is empty for long-term keys.
type Credentials struct {
	AccessKeyID string
	Secret      string
	Token       string
}

// Mode says how the body of a request is protected.
type Mode uint8

// The modes.
const (
	Hashed          Mode = iota // its SHA-256 is part of the signature
	Unsigned                    // not at all (S3 only)
	SignedChunks                // aws-chunked, each chunk is signed
	SignedTrailer               // aws-chunked, each chunk and the trailer are signed
	UnsignedTrailer             // aws-chunked, not signed, with a checksum in the trailer
	Buffered                    // Hashed, and Buffer read the body and found its hash
)

// isChunked reports whether the body comes in aws-chunked encoding.
func (m Mode) isChunked() bool { return m >= SignedChunks && m <= UnsignedTrailer }

// modeOf tells a mode from x-amz-content-sha256; false for what it may not be.
func modeOf(value string) (Mode, bool) {
	switch value {
	case "", emptyHash:
		return Hashed, true
	case UnsignedPayload:
		return Unsigned, true
	case streamingSigned:
		return SignedChunks, true
	case streamingSignedTrailer:
		return SignedTrailer, true
	case streamingUnsignedTrailer:
		return UnsignedTrailer, true
	}
	return Hashed, isHexHash(value)
}

func isHexHash(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
