package sigv4_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"tarn/access/sigv4"
)

func TestSign_isWhatTheSDKSigns(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"healthlake", "s3", "sts"} {
		for _, token := range []string{"", "session/token+=="} {
			for _, target := range targets {
				if strings.ContainsAny(target, ";") {
					continue
				}
				headers := func(r *http.Request) {
					r.Header.Set("X-Amz-Target", "  a   b c ")
					r.Header["X-Amz-Meta-A"] = []string{"2", " 1 ", ""}
					r.Header.Set("User-Agent", "test")
					r.Header.Set("Content-Type", "text/plain;  charset=utf-8")
				}
				mine := outgoing(t, "PUT", target, "body")
				headers(mine)
				sigv4.Sign(mine, sigv4.Credentials{AccessKeyID: keyID, Secret: secret, Token: token}, service, "us-east-1", hashOf("body"), now)
				theirs := mine.Clone(context.Background())
				theirs.Header.Del("Authorization")
				signSDK(t, theirs, aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: token}, service, hashOf("body"), now)
				if got, want := mine.URL.String(), theirs.URL.String(); got != want {
					t.Errorf("%s %s: URL %s, want %s", service, target, got, want)
				}
				if got, want := mine.Header.Get("Authorization"), theirs.Header.Get("Authorization"); got != want {
					t.Errorf("%s %s:\n got %s\nwant %s", service, target, got, want)
				}
				if got, want := mine.Header.Get("X-Amz-Security-Token"), token; got != want {
					t.Errorf("token %q, want %q", got, want)
				}
				if _, err := verify(arrive(t, mine), now); err != nil {
					t.Errorf("%s %s: ours, too: %v", service, target, err)
				}
			}
		}
	}
}

func TestSign_leavesTheDefaultPortOut(t *testing.T) {
	t.Parallel()
	for u, host := range map[string]string{"http://h:80/": "h", "https://h:443/": "h", "http://h:443/": "h:443", "http://h:8080/": "h:8080", "http://h/": "h"} {
		mine, _ := http.NewRequest("GET", u, nil)
		theirs := mine.Clone(context.Background())
		sigv4.Sign(mine, ours, "iam", "us-east-1", sigv4.EmptyPayload, now)
		signSDK(t, theirs, creds, "iam", sigv4.EmptyPayload, now)
		if mine.Header.Get("Authorization") != theirs.Header.Get("Authorization") {
			t.Errorf("%s: not what the SDK signs", u)
		}
		if in := arrive(t, mine); in.Host != host {
			t.Errorf("%s: Host is %q", u, in.Host)
		} else if _, err := verify(in, now); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func TestPresign(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"s3", "sts", "healthlake"} {
		for _, token := range []string{"", "to/ken=="} {
			for _, target := range targets {
				if strings.ContainsAny(target, ";") {
					continue
				}
				out := outgoing(t, "GET", target, "")
				out.Header.Set("X-Amz-Meta-A", " 1  2 ")
				out.ContentLength = 0
				mine := sigv4.Presign(out, sigv4.Credentials{AccessKeyID: keyID, Secret: secret, Token: token}, service, "us-east-1", 10*time.Minute, now)
				// The SDK takes the path as it is; ours has written it in AWS's form.
				theirs := out.Clone(context.Background())
				if u, err := url.Parse(mine); err != nil {
					t.Fatal(err)
				} else {
					theirs.URL.RawPath = u.EscapedPath()
				}
				q := theirs.URL.Query()
				q.Set("X-Amz-Expires", "600")
				theirs.URL.RawQuery = q.Encode()
				payload := sigv4.EmptyPayload
				if service == "s3" {
					payload = sigv4.UnsignedPayload
				}
				c := aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: token}
				signed, _, err := v4.NewSigner(s3Path(service)).PresignHTTP(context.Background(), c, theirs, payload, service, "us-east-1", now)
				if err != nil {
					t.Fatal(err)
				}
				if mine != signed {
					t.Errorf("%s %s:\n got %s\nwant %s", service, target, mine, signed)
				}
				in := out.Clone(context.Background())
				if in.URL, err = url.Parse(mine); err != nil {
					t.Fatal(err)
				}
				a, err := verify(arrive(t, in), now.Add(10*time.Minute))
				if err != nil {
					t.Errorf("%s %s: %v", service, target, err)
					continue
				}
				if !a.Presigned || a.Token != token || a.Expires != 10*time.Minute {
					t.Errorf("%s: got %+v", target, a)
				}
				_, err = verify(arrive(t, in), now.Add(10*time.Minute+time.Second))
				wantCode(t, "after its time", err, sigv4.RequestExpired)
				_, err = verify(arrive(t, in), now.Add(-16*time.Minute))
				wantCode(t, "before its time", err, sigv4.RequestTimeTooSkewed)
			}
		}
	}
}

// Who uses a presigned URL may say the hash of the body; only if that was signed does it bind.
func TestPresign_hashHeaderOfTheUser(t *testing.T) {
	t.Parallel()
	out := outgoing(t, "PUT", "/b/k", "body")
	signed := sigv4.Presign(out, ours, "s3", "us-east-1", time.Minute, now)
	in := httptest.NewRequest("PUT", signed, strings.NewReader("body"))
	in.Header.Set("X-Amz-Content-Sha256", hashOf("body"))
	if a, err := verify(in, now); err != nil || a.Mode != sigv4.Unsigned {
		t.Errorf("not signed: %v", err)
	}
	out.Header.Set("X-Amz-Content-Sha256", hashOf("body"))
	signed, _, err := v4.NewSigner(s3Path("s3")).PresignHTTP(context.Background(), creds, out, hashOf("body"), "s3", "us-east-1", now)
	if err != nil {
		t.Fatal(err)
	}
	in = httptest.NewRequest("PUT", signed, strings.NewReader("ydob"))
	in.Header.Set("X-Amz-Content-Sha256", hashOf("body"))
	a, err := verify(in, now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(a.Body(in))
	wantCode(t, "signed, another body", err, sigv4.PayloadMismatch)
}
