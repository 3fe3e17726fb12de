package localcloud_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestS3_awsCLI runs the commands that people use, where the AWS CLI is installed.
func TestS3_awsCLI(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: the commands of the AWS CLI against the embedded cloud, a second each, are left out")
	}
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("no AWS CLI on this machine: its commands against the embedded cloud are left out")
	}
	s := newStore(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	for name, text := range map[string]string{config: "[default]\nregion = us-east-1\ns3 =\n  signature_version = s3v4\n  addressing_style = path\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) (string, error) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), path, append([]string{"--endpoint-url", s.url, "--output", "json"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "AWS_CONFIG_FILE="+config, "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(dir, "none"), "AWS_ACCESS_KEY_ID="+s.root.AccessKeyID,
			"AWS_SECRET_ACCESS_KEY="+s.root.SecretAccessKey, "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true", "no_proxy=*")
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	ok := func(want string, args ...string) string {
		t.Helper()
		out, err := run(args...)
		if err != nil || !strings.Contains(out, want) {
			t.Fatalf("aws %s: %v\n%s\nwant %q", strings.Join(args, " "), err, out, want)
		}
		return out
	}
	fails := func(want string, args ...string) {
		t.Helper()
		out, err := run(args...)
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("aws %s: %v\n%s\nwant the error %q", strings.Join(args, " "), err, out, want)
		}
	}
	key := ok("key/", "kms", "create-key", "--query", "KeyMetadata.Arn", "--output", "text")
	ok("make_bucket", "s3", "mb", "s3://exports")
	ok("", "s3api", "put-public-access-block", "--bucket", "exports", "--public-access-block-configuration",
		"BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true")
	ok("", "s3api", "put-bucket-encryption", "--bucket", "exports", "--server-side-encryption-configuration",
		`{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"`+key+`"}}]}`)
	ok(key, "s3api", "get-bucket-encryption", "--bucket", "exports")
	large := pattern(30 << 20)
	if err := os.WriteFile(filepath.Join(dir, "large"), large, 0o600); err != nil {
		t.Fatal(err)
	}
	ok("upload:", "s3", "cp", "--no-progress", "large", "s3://exports/x/large")
	ok(key, "s3api", "head-object", "--bucket", "exports", "--key", "x/large")
	ok("download:", "s3", "cp", "--no-progress", "s3://exports/x/large", "back")
	if back, err := os.ReadFile(filepath.Join(dir, "back")); err != nil || !bytes.Equal(back, large) {
		t.Errorf("came back with %d bytes, %v", len(back), err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "tree", "sub dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "sub dir/b+ü", "sub dir/c"} {
		if err := os.WriteFile(filepath.Join(dir, "tree", name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ok("upload:", "s3", "sync", "--no-progress", "tree", "s3://exports/tree")
	if out := ok("", "s3", "sync", "--no-progress", "tree", "s3://exports/tree"); out != "" {
		t.Errorf("a second sync has something to do: %s", out)
	}
	ok("download:", "s3", "sync", "--no-progress", "s3://exports/tree", "again")
	if b, err := os.ReadFile(filepath.Join(dir, "again", "sub dir", "b+ü")); err != nil || string(b) != "sub dir/b+ü" {
		t.Errorf("synced %q, %v", b, err)
	}
	ok("b+ü", "s3", "ls", "--recursive", "s3://exports/tree")
	ok("PRE tree/", "s3", "ls", "s3://exports/")
	ok("copy:", "s3", "cp", "--no-progress", "s3://exports/x/large", "s3://exports/y/large")
	ok("move:", "s3", "mv", "--no-progress", "s3://exports/y/large", "s3://exports/z/large")
	ok("", "s3api", "get-object", "--bucket", "exports", "--key", "z/large", "--range", "bytes=100-199", "--checksum-mode", "ENABLED", "part")
	if part, err := os.ReadFile(filepath.Join(dir, "part")); err != nil || !bytes.Equal(part, large[100:200]) {
		t.Errorf("the range has %d bytes, %v", len(part), err)
	}
	for _, algorithm := range []string{"CRC32", "SHA1", "SHA256"} {
		ok(algorithm, "s3api", "put-object", "--bucket", "exports", "--key", "sum", "--body", "large", "--checksum-algorithm", algorithm)
		ok(algorithm, "s3api", "get-object", "--bucket", "exports", "--key", "sum", "--checksum-mode", "ENABLED", "back")
	}
	link := ok("X-Amz-Signature", "s3", "presign", "s3://exports/tree/a")
	if r, err := http.Get(link); err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("the presigned link: %v, %v", r, err)
	}
	ok("", "kms", "disable-key", "--key-id", key)
	fails("KMS.DisabledException", "s3api", "get-object", "--bucket", "exports", "--key", "sum", "back")
	ok("", "kms", "enable-key", "--key-id", key)
	fails("NoSuchBucket", "s3", "ls", "s3://none")
	fails("BucketNotEmpty", "s3", "rb", "s3://exports")
	ok("remove_bucket", "s3", "rb", "--force", "s3://exports")
	s.root.SecretAccessKey = strings.Repeat("x", 40)
	fails("SignatureDoesNotMatch", "s3", "ls")
}
