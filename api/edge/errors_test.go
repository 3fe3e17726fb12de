package edge_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tarn/api/edge"
	"tarn/cloud"
	"tarn/fault"
	"tarn/fhir"
)

type writer = func(http.ResponseWriter, *http.Request, error)

func queryError(w http.ResponseWriter, r *http.Request, err error) {
	edge.WriteQueryError(w, r, edge.NamespaceIAM, err)
}

func written(write writer, err error) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	write(w, httptest.NewRequest("POST", "http://tarn.test/b/k", nil), err)
	return w
}

// word is the code in an answer of any of the forms.
func word(w *httptest.ResponseRecorder) string {
	body := w.Body.Bytes()
	var answer struct {
		Type  string                  `json:"__type" xml:"-"`
		Issue []struct{ Code string } `xml:"-"`
		Code  string                  `json:"-" xml:"Code"`
		Error struct{ Code string }   `json:"-" xml:"Error"`
	}
	if json.Unmarshal(body, &answer) == nil {
		if answer.Type != "" {
			return strings.TrimPrefix(answer.Type, "com.amazonaws.healthlake#")
		}
		if len(answer.Issue) > 0 {
			return answer.Issue[0].Code
		}
	}
	if xml.Unmarshal(body, &answer) == nil {
		return answer.Code + answer.Error.Code
	}
	return string(body)
}

func TestErrors_everyKindHasItsWireForm(t *testing.T) {
	t.Parallel()
	names := []string{"HealthLake", "KMS", "query", "S3", "FHIR"}
	writers := []writer{edge.WriteJSONError, edge.WriteKMSError, queryError, edge.WriteS3Error, edge.WriteOutcome}
	for _, row := range []struct {
		kind fault.Kind
		want [5]string
	}{
		{fault.Internal, [5]string{"500 InternalServerException", "500 KMSInternalException", "500 ServiceFailure", "500 InternalError", "500 exception"}},
		{fault.Invalid, [5]string{"400 ValidationException", "400 ValidationException", "400 ValidationError", "400 InvalidRequest", "400 invalid"}},
		{fault.Denied, [5]string{"400 AccessDeniedException", "400 AccessDeniedException", "403 AccessDenied", "403 AccessDenied", "403 forbidden"}},
		{fault.Unauthentic, [5]string{"403 UnrecognizedClientException", "400 UnrecognizedClientException", "403 InvalidClientTokenId", "403 InvalidAccessKeyId", "403 security"}},
		{fault.NotFound, [5]string{"400 ResourceNotFoundException", "400 NotFoundException", "404 NoSuchEntity", "404 NoSuchKey", "404 not-found"}},
		{fault.Gone, [5]string{"400 ResourceNotFoundException", "400 NotFoundException", "404 NoSuchEntity", "404 NoSuchKey", "410 deleted"}},
		{fault.Exists, [5]string{"400 ConflictException", "400 AlreadyExistsException", "409 EntityAlreadyExists", "409 BucketAlreadyOwnedByYou", "409 duplicate"}},
		{fault.Conflict, [5]string{"400 ConflictException", "400 KMSInvalidStateException", "409 DeleteConflict", "409 OperationAborted", "409 conflict"}},
		{fault.Precondition, [5]string{"400 ConflictException", "400 KMSInvalidStateException", "409 ConcurrentModification", "412 PreconditionFailed", "412 conflict"}},
		{fault.TooLarge, [5]string{"413 RequestEntityTooLargeException", "413 RequestEntityTooLargeException", "413 RequestEntityTooLarge", "400 EntityTooLarge", "413 too-long"}},
		{fault.Throttled, [5]string{"400 ThrottlingException", "400 ThrottlingException", "400 Throttling", "503 SlowDown", "429 throttled"}},
		{fault.Unavailable, [5]string{"503 ServiceUnavailable", "503 DependencyTimeoutException", "503 ServiceUnavailable", "503 ServiceUnavailable", "503 transient"}},
		{fault.Unsupported, [5]string{"400 ValidationException", "400 UnsupportedOperationException", "400 InvalidAction", "501 NotImplemented", "501 not-supported"}},
		{fault.Unprocessable, [5]string{"400 ValidationException", "400 ValidationException", "400 ValidationError", "400 InvalidRequest", "422 processing"}},
		{fault.Kind(99), [5]string{"500 InternalServerException", "500 KMSInternalException", "500 ServiceFailure", "500 InternalError", "500 exception"}},
	} {
		for i, write := range writers {
			w := written(write, fault.WithHint(fault.Errorf(row.kind, "secret.op", "the sentence: %w", errors.New("cause")), "the advice"))
			if got := fmt.Sprint(w.Code, " ", word(w)); got != row.want[i] {
				t.Errorf("%s, %s: %s, want %s", names[i], row.kind, got, row.want[i])
			}
			internal := row.want[i][:3] == "500" || row.kind == fault.Unavailable // whose cause here is not ours
			if strings.Contains(w.Body.String(), "secret.op") || internal == strings.Contains(w.Body.String(), "the sentence") || internal == strings.Contains(w.Body.String(), "the advice") {
				t.Errorf("%s, %s: %s", names[i], row.kind, w.Body)
			}
		}
	}
	if fault.Unprocessable.String() != "unprocessable" || fault.Kind(fault.Unprocessable+1).String() != "Kind(14)" {
		t.Error("fault has more kinds than the tables")
	}
}

func TestErrors_codesOfTheServices(t *testing.T) {
	t.Parallel()
	disabled := fault.Wrap("kms", &cloud.Error{Kind: fault.Conflict, Code: "DisabledException", Msg: "the key is disabled"})
	for what, c := range map[string]struct {
		write writer
		err   error
		want  string
	}{
		"KMS's own":         {edge.WriteKMSError, disabled, "400 DisabledException"},
		"not HealthLake's":  {edge.WriteJSONError, disabled, "400 ConflictException"},
		"S3's own":          {edge.WriteS3Error, &cloud.Error{Kind: fault.NotFound, Code: "NoSuchBucket", Msg: "x"}, "404 NoSuchBucket"},
		"forced code":       {edge.WriteJSONError, edge.WithCode("UnknownOperationException", fault.Errorf(fault.NotFound, "", "x")), "404 UnknownOperationException"},
		"forced status":     {edge.WriteOutcome, edge.WithStatus(422, fault.Errorf(fault.Invalid, "", "x")), "422 invalid"},
		"both":              {edge.WriteS3Error, edge.WithCode("BadDigest", edge.WithStatus(418, fault.Errorf(fault.Invalid, "", "x"))), "418 BadDigest"},
		"deadline":          {edge.WriteOutcome, fmt.Errorf("x: %w", context.DeadlineExceeded), "503 transient"},
		"foreign":           {edge.WriteS3Error, errors.New("password"), "500 InternalError"},
		"code of the query": {queryError, edge.WithCode("LimitExceeded", fault.Errorf(fault.Conflict, "", "x")), "409 LimitExceeded"},
	} {
		if w := written(c.write, c.err); fmt.Sprint(w.Code, " ", word(w)) != c.want || strings.Contains(w.Body.String(), "password") {
			t.Errorf("%s: %d %s, want %s", what, w.Code, w.Body, c.want)
		}
	}
	if edge.WithCode("x", nil) != nil || edge.WithStatus(400, nil) != nil {
		t.Error("no error becomes one")
	}
}

func TestErrors_shapes(t *testing.T) {
	t.Parallel()
	err := fault.Errorf(fault.Invalid, "", `a "quoted" <sentence>`)
	w := written(edge.WriteJSONError, err)
	var body map[string]string
	if json.Unmarshal(w.Body.Bytes(), &body) != nil || body["Message"] != body["message"] || body["message"] != `a "quoted" <sentence>` ||
		body["__type"] != "com.amazonaws.healthlake#ValidationException" || w.Header().Get("X-Amzn-ErrorType") != "ValidationException" ||
		w.Header().Get("Content-Type") != "application/x-amz-json-1.0" {
		t.Errorf("HealthLake: %s %v", w.Body, w.Header())
	}
	if w = written(queryError, err); !strings.HasPrefix(w.Body.String(), `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>`) ||
		w.Header().Get("Content-Type") != "text/xml" {
		t.Errorf("query: %s", w.Body)
	}
	if w = written(edge.WriteS3Error, err); !strings.HasPrefix(w.Body.String(), "<?xml") || !strings.Contains(w.Body.String(), "<Resource>/b/k</Resource>") {
		t.Errorf("S3: %s", w.Body)
	}
	told := fhir.NewOutcomeError(fault.Invalid, "fhir", fhir.Issue{Severity: "error", Code: "value", Details: "one", Expression: []string{"Patient.gender"}},
		fhir.Issue{Severity: "error", Code: "required", Details: "two"})
	if w = written(edge.WriteOutcome, fault.Wrap("rest", told)); w.Code != 400 || strings.Count(w.Body.String(), `"severity"`) != 2 || !strings.Contains(w.Body.String(), "Patient.gender") {
		t.Errorf("FHIR: %d %s", w.Code, w.Body)
	}
	if w = written(edge.WriteOutcome, fault.Errorf(fault.Throttled, "", "later")); w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// A dependency's own words name paths and addresses, which no caller needs; ours do not, and help.
func TestErrors_tellNoWordsOfDependencies(t *testing.T) {
	t.Parallel()
	foreign := errors.New("open /srv/tarn/store: no space left on device")
	for name, err := range map[string]error{
		"formatted": fault.Errorf(fault.Unavailable, "kv", "the store cannot be written: %w", foreign),
		"wrapped":   fault.Wrap("catalog", fault.Errorf(fault.Unavailable, "kv", "the store: %w", foreign)),
		"hinted":    fault.WithHint(fault.Errorf(fault.Unavailable, "kv", "the store: %w", foreign), "free space below /srv/tarn"),
	} {
		for _, write := range []writer{edge.WriteJSONError, edge.WriteKMSError, queryError, edge.WriteS3Error, edge.WriteOutcome} {
			if w := written(write, err); w.Code != 503 || strings.Contains(w.Body.String(), "srv") {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		}
	}
	ours := fault.Wrap("catalog", fault.Errorf(fault.Unavailable, "catalog", "The server is shutting down."))
	if w := written(edge.WriteJSONError, ours); !strings.Contains(w.Body.String(), "shutting down") {
		t.Errorf("our own words: %s", w.Body)
	}
}
