package localcloud

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tarn/api/edge"
	"tarn/cloud"
	"tarn/cloud/local"
	"tarn/fault"
)

// kmsFace answers KMS's JSON 1.1.
type kmsFace struct {
	cloud *local.Cloud
	edge  *edge.Edge
}

// NewKMS is the KMS endpoint of the embedded cloud.
func NewKMS(c *local.Cloud, e *edge.Edge) http.Handler { return &kmsFace{c, e} }

// kmsCall is one request to KMS.
type kmsCall struct {
	r    *http.Request
	s    *local.Session
	body []byte
}

// kmsRoute is one action of KMS.
type kmsRoute struct {
	Action string
	handle func(*kmsCall) (any, error)
}

// kmsRoutes are all actions that are offered.
var kmsRoutes = []kmsRoute{
	{"CancelKeyDeletion", (*kmsCall).cancelKeyDeletion},
	{"CreateAlias", (*kmsCall).createAlias},
	{"CreateKey", (*kmsCall).createKey},
	{"Decrypt", (*kmsCall).decrypt},
	{"DeleteAlias", (*kmsCall).deleteAlias},
	{"DescribeKey", (*kmsCall).describeKey},
	{"DisableKey", (*kmsCall).disableKey},
	{"DisableKeyRotation", (*kmsCall).disableKeyRotation},
	{"EnableKey", (*kmsCall).enableKey},
	{"EnableKeyRotation", (*kmsCall).enableKeyRotation},
	{"Encrypt", (*kmsCall).encrypt},
	{"GenerateDataKey", (*kmsCall).generateDataKey},
	{"GenerateDataKeyWithoutPlaintext", (*kmsCall).generateDataKeyWithoutPlaintext},
	{"GenerateRandom", (*kmsCall).generateRandom},
	{"GetKeyPolicy", (*kmsCall).getKeyPolicy},
	{"GetKeyRotationStatus", (*kmsCall).getKeyRotationStatus},
	{"ListAliases", (*kmsCall).listAliases},
	{"ListKeyPolicies", (*kmsCall).listKeyPolicies},
	{"ListKeys", (*kmsCall).listKeys},
	{"ListResourceTags", (*kmsCall).listResourceTags},
	{"PutKeyPolicy", (*kmsCall).putKeyPolicy},
	{"ReEncrypt", (*kmsCall).reEncrypt},
	{"ScheduleKeyDeletion", (*kmsCall).scheduleKeyDeletion},
	{"TagResource", (*kmsCall).tagResource},
	{"UntagResource", (*kmsCall).untagResource},
	{"UpdateAlias", (*kmsCall).updateAlias},
	{"UpdateKeyDescription", (*kmsCall).updateKeyDescription},
}

// ServeHTTP implements http.Handler.
func (f *kmsFace) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := f.serve(w, r)
	if err != nil {
		edge.WriteKMSError(w, r, err)
		return
	}
	w.Header()["Content-Type"] = []string{"application/x-amz-json-1.1"}
	if out == nil {
		w.WriteHeader(http.StatusOK) // actions without an answer have an empty body
		return
	}
	_ = json.NewEncoder(w).Encode(out) // the caller may be gone
}

func (f *kmsFace) serve(w http.ResponseWriter, r *http.Request) (any, error) {
	call, err := f.edge.Authenticate(w, r, "kms")
	if err != nil {
		return nil, err
	}
	action := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "TrentService.")
	for i := range kmsRoutes {
		row := &kmsRoutes[i]
		if row.Action != action {
			continue
		}
		edge.SetRoute(r.Context(), "kms."+row.Action)
		body, err := call.Bytes()
		if err != nil {
			return nil, err
		}
		s := f.cloud.As(local.Caller{Principal: call.Principal, Grant: call.Grant, Context: call.Context(), When: call.When})
		return row.handle(&kmsCall{r: r, s: s, body: body})
	}
	return nil, &cloud.Error{Kind: fault.Unsupported, Code: "UnknownOperationException", Msg: fmt.Sprintf("The operation %q is not offered by the embedded cloud.", action)}
}

// read reads the request. Members that are not known are passed over, as AWS does.
func (c *kmsCall) read(v any) error {
	if len(c.body) == 0 {
		c.body = []byte("{}")
	}
	if err := json.Unmarshal(c.body, v); err != nil {
		return &cloud.Error{Kind: fault.Invalid, Code: "SerializationException", Msg: "The request is not the JSON that the operation takes."}
	}
	return nil
}

func kmsInvalid(code, format string, args ...any) error {
	return &cloud.Error{Kind: fault.Invalid, Code: code, Msg: fmt.Sprintf(format, args...)}
}

// kmsTime is a time as KMS writes it: seconds since 1970 with a fraction.
type kmsTime time.Time

// MarshalJSON implements json.Marshaler.
func (t kmsTime) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", float64(time.Time(t).UnixMilli())/1000), nil
}

func timeOrNone(t time.Time) *kmsTime {
	if t.IsZero() {
		return nil
	}
	k := kmsTime(t)
	return &k
}

// page reads Limit and Marker of a list request.
type kmsPage struct {
	Limit  *int
	Marker string
}

func (p kmsPage) limit(otherwise, most int) (int, error) {
	if p.Limit == nil {
		return otherwise, nil
	}
	if *p.Limit < 1 || *p.Limit > most {
		return 0, kmsInvalid("ValidationException", "Limit must be from 1 to %d", most)
	}
	return *p.Limit, nil
}
