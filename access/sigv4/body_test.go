package sigv4_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"tarn/access/sigv4"
	"tarn/fault"
)

// verified is an S3 request with a literal hash, verified, its body replaced by what arrives.
func verified(t *testing.T, promised, arrives string, length int64) io.ReadCloser {
	t.Helper()
	out := outgoing(t, "PUT", "/b/k", promised)
	out.ContentLength = 0 // not signed
	sigv4.Sign(out, ours, "s3", "us-east-1", hashOf(promised), now)
	in := arrive(t, out)
	a, err := verify(in, now)
	if err != nil {
		t.Fatal(err)
	}
	in.Body, in.ContentLength = io.NopCloser(iotest.HalfReader(strings.NewReader(arrives))), length
	return a.Body(in)
}

func TestBody_hashed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 5000)
	for _, c := range []struct {
		name, promised, arrives string
		length                  int64
		code                    sigv4.Code
	}{
		{"right", long, long, int64(len(long)), ""},
		{"right, length unknown", long, long, -1, ""},
		{"empty", "", "", 0, ""},
		{"empty, length unknown", "", "", -1, ""},
		{"changed", long, "x" + long[1:], int64(len(long)), sigv4.PayloadMismatch},
		{"changed, length unknown", long, "x" + long[1:], -1, sigv4.PayloadMismatch},
		{"longer", long, long + "x", int64(len(long)) + 1, sigv4.PayloadMismatch},
		{"shorter", long, long[1:], int64(len(long)) - 1, sigv4.PayloadMismatch},
		{"nothing", long, "", 0, sigv4.PayloadMismatch},
	} {
		got, err := io.ReadAll(verified(t, c.promised, c.arrives, c.length))
		wantCode(t, c.name, err, c.code)
		if c.code == "" && string(got) != c.arrives {
			t.Errorf("%s: %d bytes read", c.name, len(got))
		}
		if c.code != "" && c.length > 0 && len(got) >= len(c.arrives) {
			t.Errorf("%s: all bytes of a wrong body were handed on", c.name)
		}
		// Who reads exactly the length learns of it, too.
		if c.length > 0 {
			if _, err := io.ReadFull(verified(t, c.promised, c.arrives, c.length), make([]byte, c.length)); (err == nil) != (c.code == "") {
				t.Errorf("%s, read in full: %v", c.name, err)
			}
		}
	}
	if _, err := io.ReadAll(verified(t, long, long[:100], int64(len(long)))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut off: %v", err)
	}
	again := verified(t, "a", "a", 1)
	if _, err := io.ReadAll(again); err != nil {
		t.Error(err)
	}
	if n, err := again.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d, %v", n, err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestBody_needsAVerifiedSignature(t *testing.T) {
	t.Parallel()
	out := outgoing(t, "PUT", "/b/k", "body")
	sigv4.Sign(out, ours, "s3", "us-east-1", hashOf("body"), now)
	in := arrive(t, out)
	a, err := sigv4.Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(a.Body(in)); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v", err)
	}
}

func TestBuffer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		length int64
		max    int64
		kind   fault.Kind
		ok     bool
	}{
		{"fits", 4, 4, 0, true},
		{"fits, length unknown", -1, 4, 0, true},
		{"too long", 4, 3, fault.TooLarge, false},
		{"too long, length unknown", -1, 3, fault.TooLarge, false},
	} {
		out := outgoing(t, "POST", "/", "body")
		out.ContentLength = 0
		sigv4.Sign(out, ours, "kms", "us-east-1", hashOf("body"), now)
		in := arrive(t, out)
		in.ContentLength = c.length
		a, err := sigv4.Parse(in)
		if err != nil || !a.NeedsBody() {
			t.Fatalf("%s: %v", c.name, err)
		}
		err = a.Buffer(in, c.max)
		if (err == nil) != c.ok || !c.ok && !fault.Is(err, c.kind) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil {
			continue
		}
		if err := sigv4.New("").Verify(in, a, secret, now); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got, err := io.ReadAll(a.Body(in)); string(got) != "body" || err != nil {
			t.Errorf("%s: read %q, %v", c.name, got, err)
		}
	}
	in := httptest.NewRequest("POST", "/", iotest.ErrReader(errors.New("broken pipe")))
	out := outgoing(t, "POST", "/", "")
	sigv4.Sign(out, ours, "kms", "us-east-1", hashOf("x"), now)
	in.Header = out.Header
	a, err := sigv4.Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Buffer(in, 10); !fault.Is(err, fault.Invalid) {
		t.Errorf("a broken body: %v", err)
	}
}

// The examples of the S3 API reference: 65 KiB of 'a' in two chunks, without and with a trailer.
func TestChunks_publishedExamples(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("a", 66560)
	for name, c := range map[string]struct {
		headers   map[string]string
		signature string
		chunks    [3]string
		trailer   string
	}{
		"signed": {
			headers:   map[string]string{"Content-Length": "66824", "X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
			signature: "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class, Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
			chunks: [3]string{"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
				"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"},
		},
		"with a trailer": {
			headers:   map[string]string{"X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "X-Amz-Trailer": "x-amz-checksum-crc32c"},
			signature: "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer, Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
			chunks: [3]string{"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
				"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"},
			trailer: "x-amz-checksum-crc32c:sOO8/Q==\n\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n",
		},
	} {
		body := "10000;chunk-signature=" + c.chunks[0] + "\r\n" + content[:65536] + "\r\n400;chunk-signature=" + c.chunks[1] + "\r\n" +
			content[65536:] + "\r\n0;chunk-signature=" + c.chunks[2] + "\r\n" + c.trailer + "\r\n"
		r := httptest.NewRequest("PUT", "/examplebucket/chunkObject.txt", iotest.OneByteReader(strings.NewReader(body)))
		r.Host = "s3.amazonaws.com"
		r.Header.Set("X-Amz-Date", "20130524T000000Z")
		r.Header.Set("X-Amz-Storage-Class", "REDUCED_REDUNDANCY")
		r.Header.Set("Content-Encoding", "aws-chunked")
		r.Header.Set("X-Amz-Decoded-Content-Length", "66560")
		for k, v := range c.headers {
			r.Header.Set(k, v)
		}
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="+c.signature)
		a, err := verify(r, time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		rc := a.Body(r)
		got, err := io.ReadAll(rc)
		if err != nil || string(got) != content {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if c.trailer != "" && rc.(*sigv4.Chunks).Trailer().Get("X-Amz-Checksum-Crc32c") != "sOO8/Q==" {
			t.Errorf("%s: trailer %v", name, rc.(*sigv4.Chunks).Trailer())
		}
	}
}

// encoder makes aws-chunked bodies of its own.
type encoder struct {
	prev   string
	signed bool
	out    bytes.Buffer
}

func (e *encoder) chunk(data string) {
	e.out.WriteString(hexOf(len(data)))
	if e.signed {
		e.prev = chunkSignature("AWS4-HMAC-SHA256-PAYLOAD", e.prev, sigv4.EmptyPayload+"\n"+hashOf(data))
		e.out.WriteString(";chunk-signature=" + e.prev)
	}
	e.out.WriteString("\r\n" + data)
	if data != "" {
		e.out.WriteString("\r\n")
	}
}

func (e *encoder) trailer(lines string) {
	e.out.WriteString(strings.ReplaceAll(lines, "\n", "\r\n"))
	if e.signed {
		e.out.WriteString("x-amz-trailer-signature:" + chunkSignature("AWS4-HMAC-SHA256-TRAILER", e.prev, hashOf(lines)) + "\r\n")
	}
}

func TestChunks(t *testing.T) {
	t.Parallel()
	const word, wordTrailer, plain = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	const sum = "x-amz-checksum-crc32:AAAAAA==\n"
	edit := func(from, to string) func(string) string {
		return func(s string) string { return strings.Replace(s, from, to, 1) }
	}
	same := func(s string) string { return s }
	for _, c := range []struct {
		name, mode string
		chunks     []string
		trailer    string
		length     string
		change     func(string) string
		code       sigv4.Code
	}{
		{"signed", word, []string{"hello ", "world"}, "", "11", same, ""},
		{"signed, empty", word, nil, "", "0", same, ""},
		{"signed trailer", wordTrailer, []string{"hello ", "world"}, sum, "11", same, ""},
		{"signed trailer, empty", wordTrailer, nil, sum, "0", same, ""},
		{"unsigned trailer", plain, []string{"hello ", "world"}, sum, "11", same, ""},
		{"unsigned trailer, empty", plain, nil, sum, "0", same, ""},
		{"unsigned, upper-case size", plain, []string{strings.Repeat("x", 171)}, sum, "171", edit("ab\r\n", "AB\r\n"), ""},
		{"byte changed", word, []string{"hello ", "world"}, "", "11", edit("world", "worle"), sigv4.SignatureDoesNotMatch},
		{"first byte changed", word, []string{"hello ", "world"}, "", "11", edit("hello", "jello"), sigv4.SignatureDoesNotMatch},
		{"chunks swapped", word, []string{"aa", "bb"}, "", "4", func(s string) string { return strings.NewReplacer("aa", "bb", "bb", "aa").Replace(s) }, sigv4.SignatureDoesNotMatch},
		{"last signature changed", word, []string{"a"}, "", "1", func(s string) string { return s[:len(s)-5] + flip(s[len(s)-5:len(s)-4]) + s[len(s)-4:] }, sigv4.SignatureDoesNotMatch},
		{"signature missing", word, []string{"a"}, "", "1", edit("1;chunk-signature=", "1;x="), sigv4.MalformedChunk},
		{"signature short", word, []string{"a"}, "", "1", edit("1;chunk-signature=", "1;chunk-signature=0"), sigv4.MalformedChunk},
		{"no last chunk", word, []string{"a"}, "", "1", func(s string) string { return s[:strings.LastIndex(s, "0;chunk")] }, sigv4.MalformedChunk},
		{"cut in a chunk", word, []string{"hello"}, "", "5", func(s string) string { return s[:strings.Index(s, "llo")] }, sigv4.MalformedChunk},
		{"shorter than said", word, []string{"hello"}, "", "6", same, sigv4.MalformedChunk},
		{"longer than said", word, []string{"hello"}, "", "4", same, sigv4.MalformedChunk},
		{"another chunk after the length", plain, []string{"hello", "x"}, sum, "5", same, sigv4.MalformedChunk},
		{"bytes after the end", word, []string{"a"}, "", "1", func(s string) string { return s + "x" }, sigv4.MalformedChunk},
		{"bytes after the trailer", plain, []string{"a"}, sum, "1", func(s string) string { return s + "x" }, sigv4.MalformedChunk},
		{"size is no number", plain, []string{"a"}, sum, "1", edit("1\r\n", "g\r\n"), sigv4.MalformedChunk},
		{"size is negative", plain, []string{"a"}, sum, "1", edit("1\r\n", "-1\r\n"), sigv4.MalformedChunk},
		{"size is huge", plain, []string{"a"}, sum, "1", edit("1\r\n", "ffffffffffffffff1\r\n"), sigv4.MalformedChunk},
		{"size too small", plain, []string{"ab"}, sum, "2", edit("2\r\n", "1\r\n"), sigv4.MalformedChunk},
		{"bytes after a chunk", plain, []string{"a"}, sum, "1", edit("a\r\n", "aXX\r\n"), sigv4.MalformedChunk},
		{"line without end", plain, []string{"a"}, sum, "1", func(s string) string { return strings.Repeat("0", 5000) }, sigv4.MalformedChunk},
		{"nothing at all", plain, []string{"a"}, sum, "1", func(s string) string { return "" }, sigv4.MalformedChunk},
		{"trailer changed", wordTrailer, []string{"a"}, sum, "1", edit("AAAAAA==", "BAAAAA=="), sigv4.SignatureDoesNotMatch},
		{"trailer's signature missing", wordTrailer, []string{"a"}, sum, "1", func(s string) string { return s[:strings.Index(s, "x-amz-trailer-signature")] + "\r\n" }, sigv4.MalformedChunk},
		{"trailer after its signature", wordTrailer, []string{"a"}, sum, "1", func(s string) string { return s[:len(s)-2] + "x:y\r\n\r\n" }, sigv4.MalformedChunk},
		{"trailer missing", plain, []string{"a"}, "", "1", same, sigv4.MalformedChunk},
		{"trailer not promised", plain, []string{"a"}, sum + "x-other:1\n", "1", same, sigv4.MalformedChunk},
		{"trailer twice", plain, []string{"a"}, sum + sum, "1", same, sigv4.MalformedChunk},
		{"trailer without colon", plain, []string{"a"}, sum, "1", edit("crc32:", "crc32"), sigv4.MalformedChunk},
		{"no end after the trailer", plain, []string{"a"}, sum, "1", func(s string) string { return s[:len(s)-2] }, sigv4.MalformedChunk},
	} {
		out := outgoing(t, "PUT", "/b/k", "")
		out.Header.Set("X-Amz-Decoded-Content-Length", c.length)
		if c.mode != word {
			out.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
		}
		sigv4.Sign(out, ours, "s3", "us-east-1", c.mode, now)
		e := &encoder{signed: c.mode != plain, prev: out.Header.Get("Authorization")}
		e.prev = e.prev[strings.LastIndex(e.prev, "=")+1:]
		for _, data := range append(c.chunks, "") {
			e.chunk(data)
		}
		if c.mode != word {
			e.trailer(c.trailer)
		}
		e.out.WriteString("\r\n")
		in := arrive(t, out)
		a, err := verify(in, now)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		want := strings.Join(c.chunks, "")
		encoded := c.change(e.out.String())
		for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader} {
			in.Body = io.NopCloser(wrap(strings.NewReader(encoded)))
			body := a.Body(in)
			got, err := io.ReadAll(body)
			wantCode(t, c.name, err, c.code)
			if c.code == "" && string(got) != want {
				t.Errorf("%s: read %q", c.name, got)
			}
			if c.code != "" && len(want) > 0 && len(got) >= len(want) && c.length != "6" && c.length != "4" {
				t.Errorf("%s: all bytes of a wrong body were handed on", c.name)
			}
			if _, again := body.Read(make([]byte, 1)); again == nil {
				t.Errorf("%s: reads on after its end", c.name)
			}
			if got := body.(*sigv4.Chunks).Trailer().Get("X-Amz-Checksum-Crc32"); c.code == "" && c.mode != word && got != "AAAAAA==" {
				t.Errorf("%s: trailer %q", c.name, got)
			}
		}
	}
}

func TestChunks_keepsErrorsOfReading(t *testing.T) {
	t.Parallel()
	out := outgoing(t, "PUT", "/b/k", "")
	out.Header.Set("X-Amz-Decoded-Content-Length", "5")
	sigv4.Sign(out, ours, "s3", "us-east-1", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", now)
	in := arrive(t, out)
	a, err := verify(in, now)
	if err != nil {
		t.Fatal(err)
	}
	broken := &http.MaxBytesError{Limit: 1}
	in.Body = io.NopCloser(iotest.ErrReader(broken))
	if _, err := io.ReadAll(a.Body(in)); !errors.Is(err, error(broken)) {
		t.Errorf("got %v", err)
	}
}
