package localcloud_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"tarn/access"
	"tarn/access/seal"
	"tarn/access/sigv4"
	"tarn/account"
	"tarn/api/edge"
	"tarn/api/localcloud"
	"tarn/cloud/local"
	"tarn/kv/pebble"
)

// cloudOf is a handler of all four services on an empty account, and the root's credentials.
func cloudOf(f *testing.F) (http.Handler, sigv4.Credentials) {
	f.Helper()
	must := func(err error) {
		if err != nil {
			f.Fatal(err)
		}
	}
	engine, err := pebble.InMemory(pebble.Options{})
	must(err)
	f.Cleanup(func() { _ = engine.Close() })
	ctx := context.Background()
	space, err := engine.Open(ctx, "system")
	must(err)
	sealer, err := seal.New(seal.NewMaster())
	must(err)
	people, err := account.Open(ctx, space, account.Options{Account: "123456789012", Sealer: sealer})
	must(err)
	id, secret, _, err := people.EnsureRoot(ctx)
	must(err)
	// A folder of its own, which outlives the runs of one process: f.TempDir is new at each.
	dir, err := os.MkdirTemp("", "tarn-fuzz")
	must(err)
	f.Cleanup(func() { _ = os.RemoveAll(dir) })
	c, err := local.Open(ctx, local.Options{Space: space, Dir: dir, Sealer: sealer, Directory: people, Account: "123456789012"})
	must(err)
	f.Cleanup(func() { _ = c.Close() })
	_, err = c.As(local.Caller{Principal: access.RootOf("123456789012")}).CreateBucket(ctx, "bucket", "", "")
	must(err)
	e := edge.New(edge.Config{Directory: people, Account: "123456789012", Region: "us-east-1"})
	return e.Handler(edge.Faces{S3: localcloud.NewS3(c, e), KMS: localcloud.NewKMS(c, e), IAM: localcloud.NewIAM(e, people), STS: localcloud.NewSTS(e, people)}),
		sigv4.Credentials{AccessKeyID: id, Secret: secret}
}

// FuzzFaces signs whatever comes as the root, who may do everything, and sends it to the four services: whatever stands
// in paths, queries, headers and bodies is the caller's mistake, never the server's.
func FuzzFaces(f *testing.F) {
	const form, policy = "application/x-www-form-urlencoded", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}}`
	for _, seed := range [][5]string{
		{"s3 PUT", "/bucket/key", "", "X-Amz-Meta-A: b", "body"},
		{"s3 GET", "/bucket/key", "response-content-type=a&partNumber=1", "Range: bytes=1-2", ""},
		{"s3 GET", "/bucket", "list-type=2&delimiter=/&max-keys=2&continuation-token=YQ&encoding-type=url", "", ""},
		{"s3 GET", "/bucket", "uploads&key-marker=a&max-uploads=1", "", ""},
		{"s3 POST", "/bucket", "delete", "", "<Delete><Quiet>true</Quiet><Object><Key>a</Key><VersionId>null</VersionId></Object></Delete>"},
		{"s3 POST", "/bucket/key", "uploads", "X-Amz-Checksum-Algorithm: CRC32", ""},
		{"s3 PUT", "/bucket/key", "uploadId=00000000000000000000000000000000&partNumber=1", "", "x"},
		{"s3 POST", "/bucket/key", "uploadId=00000000000000000000000000000000", "", "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part></CompleteMultipartUpload>"},
		{"s3 PUT", "/bucket", "policy", "", policy},
		{"s3 PUT", "/bucket", "encryption", "", "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"},
		{"s3 PUT", "/bucket", "tagging", "", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"},
		{"s3 PUT", "/bucket/copy", "", "X-Amz-Copy-Source: /bucket/key?versionId=null", ""},
		{"s3 PUT", "/bucket/kms", "", "X-Amz-Server-Side-Encryption: aws:kms", "x"},
		{"s3 GET", "/bucket/key", "attributes", "X-Amz-Object-Attributes: ETag,Checksum", ""},
		{"iam POST", "/", "", "Content-Type: " + form, "Action=CreateUser&UserName=ana&Path=/a/&Tags.member.1.Key=k&Tags.member.1.Value=v"},
		{"iam POST", "/", "", "Content-Type: " + form, "Action=SimulatePrincipalPolicy&PolicySourceArn=arn:aws:iam::123456789012:user/a/ana&ActionNames.member.1=s3:GetObject&ContextEntries.member.1.ContextKeyName=a:b"},
		{"iam GET", "/", "Action=ListPolicies&MaxItems=1&Marker=YQ&Scope=AWS", "", ""},
		{"iam POST", "/", "", "Content-Type: " + form, "Action=CreatePolicy&PolicyName=p&PolicyDocument=" + url.QueryEscape(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`)},
		{"sts POST", "/", "", "Content-Type: " + form, "Action=GetSessionToken&DurationSeconds=900"},
		{"kms POST", "/", "", "X-Amz-Target: TrentService.Encrypt", `{"KeyId":"alias/aws/s3","Plaintext":"eA==","EncryptionContext":{"a":"b"}}`},
		{"kms POST", "/", "", "X-Amz-Target: TrentService.Decrypt", `{"CiphertextBlob":"AQID"}`},
		{"kms POST", "/", "", "X-Amz-Target: TrentService.CreateKey", `{"Tags":[{"TagKey":"a","TagValue":"b"}],"Description":"d","KeySpec":"RSA_2048","KeyUsage":"SIGN_VERIFY"}`},
		{"kms POST", "/", "", "X-Amz-Target: TrentService.ListAliases", `{"Limit":1,"Marker":"alias/a","KeyId":"alias/aws/s3"}`},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4])
	}
	handler, root := cloudOf(f)
	f.Fuzz(func(t *testing.T, what, path, query, header, body string) {
		service, method, _ := strings.Cut(what, " ")
		target, err := url.Parse("http://tarn.test/")
		if err != nil || !strings.HasPrefix(path, "/") || strings.ContainsAny(method, " \r\n/()<>@,;:\\\"[]?={}\t") || method == "" {
			return
		}
		target.Path, target.RawQuery = path, query
		r, err := http.NewRequestWithContext(t.Context(), method, target.String(), strings.NewReader(body))
		if err != nil {
			return
		}
		if name, value, ok := strings.Cut(header, ": "); ok && name != "" && !strings.ContainsAny(name, " \r\n") && !strings.ContainsAny(value, "\r\n") {
			r.Header.Set(name, value)
		}
		sum := sha256.Sum256([]byte(body))
		sigv4.Sign(r, root, service, "us-east-1", hex.EncodeToString(sum[:]), time.Now())
		var wire bytes.Buffer
		if err := r.Write(&wire); err != nil {
			return
		}
		in := httptest.NewRequest(method, "/", strings.NewReader(body))
		in.Host, in.URL, in.Header, in.RequestURI = r.Host, r.URL, r.Header, r.URL.RequestURI()
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, in)
		if w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
