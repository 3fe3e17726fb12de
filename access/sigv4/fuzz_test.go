package sigv4_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"tarn/access/sigv4"
)

// What the SDK signs, whatever path, query and headers, is verified; and with one bit of the signature changed it is not.
func FuzzVerify(f *testing.F) {
	for i, target := range targets {
		f.Add(i%2 == 0, i%3 == 0, target, "a  b ", "c")
	}
	f.Fuzz(func(t *testing.T, isS3, presigned bool, target, one, two string) {
		if !strings.HasPrefix(target, "/") || strings.ContainsAny(one+two, "\r\n\x00") {
			t.Skip()
		}
		if _, query, ok := strings.Cut(target, "?"); ok {
			if _, err := url.ParseQuery(query); err != nil {
				t.Skip("the SDK drops pairs that it cannot read")
			}
		}
		for _, c := range one + two {
			if c < ' ' && c != '\t' || c == 0x7f {
				t.Skip("no header can carry it")
			}
		}
		service, payload := "healthlake", hashOf("body")
		if isS3 {
			service = "s3"
		}
		out := outgoing(t, "POST", target, "body")
		out.Header["X-Amz-Meta-One"] = []string{one, two}
		if presigned {
			out.ContentLength = 0
			if isS3 {
				payload = sigv4.UnsignedPayload
			}
			signed, _, err := v4.NewSigner(s3Path(service)).PresignHTTP(context.Background(), creds, out, payload, service, "us-east-1", now)
			if err != nil {
				t.Fatal(err)
			}
			if out.URL, err = url.Parse(signed); err != nil {
				t.Skip()
			}
		} else {
			signSDK(t, out, aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: "t"}, service, payload, now)
		}
		in := arrive(t, out)
		// A server trims the values of headers.
		for i, v := range in.Header["X-Amz-Meta-One"] {
			in.Header["X-Amz-Meta-One"][i] = strings.Trim(v, " \t")
		}
		_, err := verify(in, now)
		if code := codeOf(err); err != nil && !(presigned && code == sigv4.IncompleteSignature) {
			t.Fatalf("%s %q: %v", service, in.URL, err)
		}
		if err == nil && !presigned {
			in.Header.Set("Authorization", chop(in.Header.Get("Authorization")))
			if _, err := verify(in, now); codeOf(err) != sigv4.SignatureDoesNotMatch {
				t.Fatalf("a changed signature: %v", err)
			}
		}
	})
}

// Whatever a stranger sends as authorization, Parse answers with a signature or a code, and nothing it says is taken
// for verified.
func FuzzParse(f *testing.F) {
	f.Add(goodHeader, "20260301T120000Z", "UNSIGNED-PAYLOAD", "")
	f.Add("", "", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/20260301/r/s3/aws4_request&X-Amz-Date=20260301T120000Z&X-Amz-SignedHeaders=host&X-Amz-Signature="+strings.Repeat("0", 64))
	f.Fuzz(func(t *testing.T, authorization, date, hash, query string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = query
		r.Header = http.Header{"Authorization": {authorization}, "X-Amz-Date": {date}, "X-Amz-Content-Sha256": {hash}}
		if authorization == "" {
			r.Header.Del("Authorization")
		}
		a, err := sigv4.Parse(r)
		if err != nil {
			if codeOf(err) == "" {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		if a.AccessKeyID == "" || len(a.Signature) != 64 || len(a.SignedHeaders) == 0 {
			t.Fatalf("%+v", a)
		}
		if err := a.Buffer(r, 10); err != nil {
			t.Fatal(err)
		}
		if err := sigv4.New("").Verify(r, a, secret, a.Time); err == nil {
			t.Fatal("a signature that nobody made")
		}
	})
}

// The decoder never panics, never hands on more than was announced, and ends with an error or io.EOF. What it accepts
// without signatures it has read to the last byte.
func FuzzChunks(f *testing.F) {
	f.Add(uint8(0), uint16(5), []byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"))
	f.Add(uint8(1), uint16(1), []byte("1;chunk-signature=0000000000000000000000000000000000000000000000000000000000000000\r\na\r\n0;chunk-signature=\r\n\r\n"))
	f.Add(uint8(2), uint16(0), []byte("0;chunk-signature=0000000000000000000000000000000000000000000000000000000000000000\r\nx-amz-trailer-signature:0\r\n\r\n"))
	modes := []string{"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"}
	f.Fuzz(func(t *testing.T, mode uint8, length uint16, encoded []byte) {
		out := outgoing(t, "PUT", "/b/k", "")
		out.Header.Set("X-Amz-Decoded-Content-Length", strconv.Itoa(int(length)))
		out.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
		sigv4.Sign(out, ours, "s3", "us-east-1", modes[int(mode)%len(modes)], now)
		in := arrive(t, out)
		a, err := verify(in, now)
		if err != nil {
			t.Fatal(err)
		}
		rest := bytes.NewReader(encoded)
		in.Body = io.NopCloser(rest)
		got, err := io.ReadAll(a.Body(in))
		switch {
		case err == nil && (len(got) != int(length) || rest.Len() != 0):
			t.Fatalf("accepted %d of %d bytes, %d are left", len(got), length, rest.Len())
		case err == nil && a.Mode != sigv4.UnsignedTrailer:
			t.Fatalf("accepted a body that nobody signed")
		case err != nil && len(got) >= int(length) && length > 0:
			t.Fatalf("handed on all of a wrong body: %v", err)
		case err != nil && codeOf(err) == "":
			t.Fatalf("an error without a code: %v", err)
		}
	})
}
