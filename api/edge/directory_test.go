package edge_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tarn/access"
	"tarn/access/iam"
	"tarn/access/sigv4"
	"tarn/api/edge"
	"tarn/fault"
)

const (
	accountID = "012345678910"
	keyID     = "AKIAIOSFODNN7EXAMPLE"
	secret    = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// directory knows one user, whose policy it is.
type directory struct{ policy access.Policy }

func ana() access.Principal {
	return access.Principal{Kind: access.User, Account: accountID, ARN: "arn:aws:iam::" + accountID + ":user/ana", UserID: "AIDAANA", UserName: "ana"}
}

func (d directory) Credential(_ context.Context, id string) (access.Credential, error) {
	if id != keyID {
		return access.Credential{}, fault.Errorf(fault.NotFound, "test", "no such key")
	}
	return access.Credential{Secret: secret, Principal: ana(), Active: true}, nil
}

func (d directory) Grant(context.Context, access.Principal) (access.Grant, error) {
	return access.Grant{Identity: []access.Policy{d.policy}}, nil
}

func (d directory) Role(context.Context, string) (access.Role, error) {
	return access.Role{}, fault.Errorf(fault.NotFound, "test", "no such role")
}

func policy(t testing.TB, doc string) directory {
	t.Helper()
	p, err := iam.Parse(iam.Managed, []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return directory{p}
}

const allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// request is one as the listener would hand it on, signed for a service unless that is empty.
func request(service, method, target, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, "http://tarn.test"+target, strings.NewReader(body))
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if service != "" {
		sigv4.Sign(r, sigv4.Credentials{AccessKeyID: keyID, Secret: secret}, service, "us-east-1", sigv4.UnsignedPayload, time.Now())
	}
	return r
}

// signed is request with the body's hash in the signature.
func signed(service, method, target, body, hash string, header ...string) *http.Request {
	r := request("", method, target, body, header...)
	sigv4.Sign(r, sigv4.Credentials{AccessKeyID: keyID, Secret: secret}, service, "us-east-1", hash, time.Now())
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// say is a face that tells its name.
func say(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(name)) })
}

func allFaces() edge.Faces {
	return edge.Faces{HealthLake: say("healthlake"), KMS: say("kms"), IAM: say("iam"), STS: say("sts"), S3: say("s3"), FHIR: say("fhir"),
		Console: say("console"), Metrics: say("metrics")}
}

// lines collects what is logged.
type lines struct{ strings.Builder }

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(l, nil)) }
