package sigv4

import (
	"fmt"

	"tarn/fault"
)

// Code is why a request was refused, in the words of IAM's and STS's query protocol.
type Code string

// The codes.
const (
	MissingAuthenticationToken Code = "MissingAuthenticationToken" // nothing is signed
	IncompleteSignature        Code = "IncompleteSignature"        // the signature's form is broken
	UnsupportedSignature       Code = "InvalidRequest"             // Signature Version 2
	InvalidClientTokenID       Code = "InvalidClientTokenId"       // the access key is unknown or inactive, or the session token wrong
	SignatureDoesNotMatch      Code = "SignatureDoesNotMatch"      // another secret, or the request was changed
	RequestTimeTooSkewed       Code = "RequestTimeTooSkewed"       // signed too long ago, or in the future
	RequestExpired             Code = "RequestExpired"             // a presigned URL after its time
	ExpiredToken               Code = "ExpiredToken"               // the session is over
	WrongScope                 Code = "AuthorizationHeaderMalformed"
	HeadersNotSigned           Code = "HeadersNotSigned"          // an x-amz- header stands outside the signature
	PayloadMismatch            Code = "XAmzContentSHA256Mismatch" // the body is not the one that was signed
	MalformedChunk             Code = "IncompleteBody"            // aws-chunked encoding is broken or cut off
)

// Error is a refusal; reach it by errors.As. The errors of this package are fault.Unauthentic around it, but for broken
// bodies (MalformedChunk), which are fault.Invalid.
type Error struct{ Code Code }

// Error is the code; the sentence stands in the fault around it.
func (e *Error) Error() string { return string(e.Code) }

// Protocol is the family of wire formats that spells codes in its own way.
type Protocol uint8

// The protocols.
const (
	Query Protocol = iota // IAM, STS
	JSON                  // HealthLake, KMS
	S3
)

var spelled = map[Code][3]string{
	//                          Query, JSON, S3
	MissingAuthenticationToken: {"MissingAuthenticationToken", "MissingAuthenticationTokenException", "AccessDenied"},
	IncompleteSignature:        {"IncompleteSignature", "IncompleteSignatureException", "AuthorizationHeaderMalformed"},
	UnsupportedSignature:       {"IncompleteSignature", "IncompleteSignatureException", "InvalidRequest"},
	InvalidClientTokenID:       {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"},
	SignatureDoesNotMatch:      {"SignatureDoesNotMatch", "InvalidSignatureException", "SignatureDoesNotMatch"},
	RequestTimeTooSkewed:       {"SignatureDoesNotMatch", "InvalidSignatureException", "RequestTimeTooSkewed"},
	RequestExpired:             {"RequestExpired", "RequestExpired", "AccessDenied"},
	ExpiredToken:               {"ExpiredToken", "ExpiredTokenException", "ExpiredToken"},
	WrongScope:                 {"SignatureDoesNotMatch", "InvalidSignatureException", "AuthorizationHeaderMalformed"},
	HeadersNotSigned:           {"SignatureDoesNotMatch", "InvalidSignatureException", "AccessDenied"},
	PayloadMismatch:            {"SignatureDoesNotMatch", "InvalidSignatureException", "XAmzContentSHA256Mismatch"},
	MalformedChunk:             {"InvalidRequest", "InvalidRequest", "IncompleteBody"},
}

// In is the code as a protocol spells it on the wire.
func (c Code) In(p Protocol) string {
	if names, ok := spelled[c]; ok && int(p) < len(names) {
		return names[p]
	}
	return string(c)
}

const op = "sigv4"

func refuse(code Code, format string, args ...any) error {
	kind := fault.Unauthentic
	if code == MalformedChunk {
		kind = fault.Invalid
	}
	return &fault.Error{Op: op, Kind: kind, Msg: fmt.Sprintf(format, args...), Err: &silent{Error{code}}}
}

// silent keeps the code reachable while the sentence does not repeat it.
type silent struct{ code Error }

func (*silent) Error() string   { return "" }
func (s *silent) Unwrap() error { return &s.code }
