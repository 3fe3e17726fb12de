package edge

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"

	"tarn/access/sigv4"
	"tarn/cloud"
	"tarn/fault"
	"tarn/fhir"
)

// wire is how a kind of fault looks in one protocol.
type wire struct {
	status int
	code   string
}

// kinds is the number of fault's kinds; a test holds the tables against them.
const kinds = int(fault.Unprocessable) + 1

// healthLake is awsJson 1.0: 400 for all that a client did, but for what the front door itself refuses.
var healthLake = [kinds]wire{
	fault.Internal:      {500, "InternalServerException"},
	fault.Invalid:       {400, "ValidationException"},
	fault.Denied:        {400, "AccessDeniedException"},
	fault.Unauthentic:   {403, "UnrecognizedClientException"},
	fault.NotFound:      {400, "ResourceNotFoundException"},
	fault.Gone:          {400, "ResourceNotFoundException"},
	fault.Exists:        {400, "ConflictException"},
	fault.Conflict:      {400, "ConflictException"},
	fault.Precondition:  {400, "ConflictException"},
	fault.TooLarge:      {413, "RequestEntityTooLargeException"},
	fault.Throttled:     {400, "ThrottlingException"},
	fault.Unavailable:   {503, "ServiceUnavailable"},
	fault.Unsupported:   {400, "ValidationException"},
	fault.Unprocessable: {400, "ValidationException"},
}

// kms is awsJson 1.1; most codes come with a *cloud.Error instead.
var kms = [kinds]wire{
	fault.Internal:      {500, "KMSInternalException"},
	fault.Invalid:       {400, "ValidationException"},
	fault.Denied:        {400, "AccessDeniedException"},
	fault.Unauthentic:   {400, "UnrecognizedClientException"},
	fault.NotFound:      {400, "NotFoundException"},
	fault.Gone:          {400, "NotFoundException"},
	fault.Exists:        {400, "AlreadyExistsException"},
	fault.Conflict:      {400, "KMSInvalidStateException"},
	fault.Precondition:  {400, "KMSInvalidStateException"},
	fault.TooLarge:      {413, "RequestEntityTooLargeException"},
	fault.Throttled:     {400, "ThrottlingException"},
	fault.Unavailable:   {503, "DependencyTimeoutException"},
	fault.Unsupported:   {400, "UnsupportedOperationException"},
	fault.Unprocessable: {400, "ValidationException"},
}

// query is the query protocol of IAM and STS.
var query = [kinds]wire{
	fault.Internal:      {500, "ServiceFailure"},
	fault.Invalid:       {400, "ValidationError"},
	fault.Denied:        {403, "AccessDenied"},
	fault.Unauthentic:   {403, "InvalidClientTokenId"},
	fault.NotFound:      {404, "NoSuchEntity"},
	fault.Gone:          {404, "NoSuchEntity"},
	fault.Exists:        {409, "EntityAlreadyExists"},
	fault.Conflict:      {409, "DeleteConflict"},
	fault.Precondition:  {409, "ConcurrentModification"},
	fault.TooLarge:      {413, "RequestEntityTooLarge"},
	fault.Throttled:     {400, "Throttling"},
	fault.Unavailable:   {503, "ServiceUnavailable"},
	fault.Unsupported:   {400, "InvalidAction"},
	fault.Unprocessable: {400, "ValidationError"},
}

// s3 is S3's XML; most codes come with a *cloud.Error instead.
var s3 = [kinds]wire{
	fault.Internal:      {500, "InternalError"},
	fault.Invalid:       {400, "InvalidRequest"},
	fault.Denied:        {403, "AccessDenied"},
	fault.Unauthentic:   {403, "InvalidAccessKeyId"},
	fault.NotFound:      {404, "NoSuchKey"},
	fault.Gone:          {404, "NoSuchKey"},
	fault.Exists:        {409, "BucketAlreadyOwnedByYou"},
	fault.Conflict:      {409, "OperationAborted"},
	fault.Precondition:  {412, "PreconditionFailed"},
	fault.TooLarge:      {400, "EntityTooLarge"},
	fault.Throttled:     {503, "SlowDown"},
	fault.Unavailable:   {503, "ServiceUnavailable"},
	fault.Unsupported:   {501, "NotImplemented"},
	fault.Unprocessable: {400, "InvalidRequest"},
}

// outcome is FHIR's REST; the code is the issue's (http://hl7.org/fhir/issue-type).
var outcome = [kinds]wire{
	fault.Internal:      {500, "exception"},
	fault.Invalid:       {400, "invalid"},
	fault.Denied:        {403, "forbidden"},
	fault.Unauthentic:   {403, "security"},
	fault.NotFound:      {404, "not-found"},
	fault.Gone:          {410, "deleted"},
	fault.Exists:        {409, "duplicate"},
	fault.Conflict:      {409, "conflict"},
	fault.Precondition:  {412, "conflict"},
	fault.TooLarge:      {413, "too-long"},
	fault.Throttled:     {429, "throttled"},
	fault.Unavailable:   {503, "transient"},
	fault.Unsupported:   {501, "not-supported"},
	fault.Unprocessable: {422, "processing"},
}

// statuses are those of codes that do not follow from their kind.
var statuses = map[string]int{
	"UnknownOperationException":    404,
	"IncompleteSignature":          400,
	"IncompleteSignatureException": 400,
	"AuthorizationHeaderMalformed": 400,
	"XAmzContentSHA256Mismatch":    400,
	"IncompleteBody":               400,
	"LimitExceeded":                409,
	"PackedPolicyTooLarge":         400,
}

// marked gives an error a code or a status that its kind does not tell.
type marked struct {
	code   string
	status int
	err    error
}

func (m *marked) Error() string { return m.err.Error() }
func (m *marked) Unwrap() error { return m.err }

// WithCode gives err the code that stands on the wire in place of its kind's; nil stays nil.
func WithCode(code string, err error) error {
	if err == nil {
		return nil
	}
	return &marked{code: code, err: err}
}

// WithStatus gives err the HTTP status in place of its kind's; nil stays nil.
func WithStatus(status int, err error) error {
	if err == nil {
		return nil
	}
	return &marked{status: status, err: err}
}

// ErrorCoder is an error that knows the service's own word for itself, such as MalformedPolicyDocument.
type ErrorCoder interface{ ErrorCode() string }

// translate finds an error's status, code and text. foreign says that codes of ErrorCoder and *cloud.Error are this
// protocol's. An internal error, and one of a dependency, is remembered for the log.
func translate(r *http.Request, err error, table *[kinds]wire, p sigv4.Protocol, foreign bool) (wire, string) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return wire{499, table[fault.Unavailable].code}, "the request was cancelled"
	}
	kind := fault.KindOf(err)
	if errors.Is(err, context.DeadlineExceeded) {
		kind = fault.Unavailable
	}
	if int(kind) >= kinds {
		kind = fault.Internal
	}
	out := table[kind]
	text := fault.Message(err)
	if kind == fault.Internal || kind == fault.Unavailable {
		if t := traceOf(r.Context()); t != nil && t.failure == nil {
			t.failure = err
		}
	}
	if kind == fault.Internal {
		return out, "The request processing has failed because of an internal error; the server's log tells more under the request id"
	}
	if kind == fault.Unavailable && fault.HasForeignCause(err) {
		// What a disk, a network or a database says of itself holds paths and addresses.
		return out, "The server cannot do this now, but may when the request is repeated; its log tells more under the request id"
	}
	if hint := fault.Hint(err); hint != "" {
		text += " (" + hint + ")"
	}
	var signature *sigv4.Error
	var coder ErrorCoder
	var refused *cloud.Error
	var mark *marked
	switch {
	case errors.As(err, &signature):
		out.code = signature.Code.In(p)
	case foreign && errors.As(err, &coder):
		out.code = coder.ErrorCode()
	case foreign && errors.As(err, &refused) && refused.Code != "":
		out.code = refused.Code
		text = refused.Msg
	}
	if status, ok := statuses[out.code]; ok {
		out.status = status
	}
	for chain := err; errors.As(chain, &mark); chain = mark.err {
		if mark.code != "" {
			out.code = mark.code
			if status, ok := statuses[mark.code]; ok {
				out.status = status
			}
		}
		if mark.status != 0 {
			out.status = mark.status
		}
	}
	return out, text
}

// WriteJSONError answers as HealthLake does (awsJson 1.0): __type, Message and message with equal text.
func WriteJSONError(w http.ResponseWriter, r *http.Request, err error) {
	out, text := translate(r, err, &healthLake, sigv4.JSON, false)
	body, _ := json.Marshal(struct {
		Type    string `json:"__type"`
		Message string
		Lower   string `json:"message"`
	}{"com.amazonaws.healthlake#" + out.code, text, text})
	w.Header()["X-Amzn-Errortype"] = []string{out.code}
	answer(w, r, out.status, "application/x-amz-json-1.0", body)
}

// WriteKMSError answers as KMS does (awsJson 1.1); the codes of *cloud.Error and ErrorCoder stand as they are.
func WriteKMSError(w http.ResponseWriter, r *http.Request, err error) {
	out, text := translate(r, err, &kms, sigv4.JSON, true)
	body, _ := json.Marshal(struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{out.code, text})
	w.Header()["X-Amzn-Errortype"] = []string{out.code}
	answer(w, r, out.status, "application/x-amz-json-1.1", body)
}

// Namespaces of the query protocols' XML.
const (
	NamespaceIAM = "https://iam.amazonaws.com/doc/2010-05-08/"
	NamespaceSTS = "https://sts.amazonaws.com/doc/2011-06-15/"
)

// WriteQueryError answers as IAM and STS do, in XML of the namespace; the codes of ErrorCoder stand as they are.
func WriteQueryError(w http.ResponseWriter, r *http.Request, namespace string, err error) {
	out, text := translate(r, err, &query, sigv4.Query, true)
	type detail struct{ Type, Code, Message string }
	who := "Sender"
	if out.status >= 500 {
		who = "Receiver"
	}
	body, _ := xml.Marshal(struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Namespace string   `xml:"xmlns,attr"`
		Error     detail
		RequestID string `xml:"RequestId"`
	}{Namespace: namespace, Error: detail{who, out.code, text}, RequestID: RequestID(r.Context())})
	answer(w, r, out.status, "text/xml", body)
}

// WriteS3Error answers as S3 does, in XML; the codes of *cloud.Error and ErrorCoder stand as they are. An answer to
// HEAD has no body.
func WriteS3Error(w http.ResponseWriter, r *http.Request, err error) {
	out, text := translate(r, err, &s3, sigv4.S3, true)
	id := RequestID(r.Context())
	body, _ := xml.Marshal(struct {
		XMLName                                    xml.Name `xml:"Error"`
		Code, Message, Resource, RequestId, HostId string
	}{Code: out.code, Message: text, Resource: r.URL.Path, RequestId: id, HostId: id})
	answer(w, r, out.status, "application/xml", append([]byte(xml.Header), body...))
}

// WriteOutcome answers with a FHIR OperationOutcome. Where a *fhir.OutcomeError is the cause its issues stand, else one
// issue that says what the error says.
func WriteOutcome(w http.ResponseWriter, r *http.Request, err error) {
	out, text := translate(r, err, &outcome, sigv4.JSON, false)
	var told *fhir.OutcomeError
	var signature *sigv4.Error
	issues := fhir.Outcome{Issues: []fhir.Issue{{Severity: fhir.SeverityError, Code: out.code, Details: text}}}
	switch {
	case out.status < 500 && errors.As(err, &told) && len(told.Issues) > 0:
		issues = told.Outcome()
	case errors.As(err, &signature):
		issues.Issues[0].Code = outcome[fault.KindOf(err)].code
		switch signature.Code {
		case sigv4.MissingAuthenticationToken:
			issues.Issues[0].Code, out.status = "login", http.StatusUnauthorized
			w.Header()["Www-Authenticate"] = []string{"AWS4-HMAC-SHA256"}
		case sigv4.ExpiredToken, sigv4.RequestExpired:
			issues.Issues[0].Code = "expired"
		}
	}
	answer(w, r, out.status, "application/fhir+json; charset=utf-8", issues.AppendJSON(nil))
}

// write answers in the form of a face.
func write(w http.ResponseWriter, r *http.Request, kind face, err error) {
	switch kind {
	case faceHealthLake:
		WriteJSONError(w, r, err)
	case faceKMS:
		WriteKMSError(w, r, err)
	case faceIAM:
		WriteQueryError(w, r, NamespaceIAM, err)
	case faceSTS:
		WriteQueryError(w, r, NamespaceSTS, err)
	case faceS3:
		WriteS3Error(w, r, err)
	case faceFHIR:
		WriteOutcome(w, r, err)
	default:
		out, text := translate(r, err, &outcome, sigv4.JSON, false)
		answer(w, r, out.status, "text/plain; charset=utf-8", []byte(text+"\n"))
	}
}

func answer(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	h := w.Header()
	h["Content-Type"] = []string{contentType}
	h.Del("Content-Length")
	h.Del("Etag")
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		h["Retry-After"] = []string{"1"}
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.Writer(w).Write(body)
	}
}
