package local_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tarn/access/seal"
	"tarn/cloud"
	"tarn/cloud/cloudtest"
	"tarn/cloud/local"
	"tarn/fault"
	"tarn/kv"
)

// everything is all bytes that the place keeps, on disk and in rows.
func (p *place) everything(t *testing.T) []byte {
	t.Helper()
	var all []byte
	check(t, filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var data []byte
			data, err = os.ReadFile(path)
			all = append(all, data...)
		}
		return err
	}))
	snap := must(p.space.Snapshot(t.Context()))(t)
	defer func() { _ = snap.Close() }()
	it := snap.Scan(t.Context(), kv.Range{})
	for it.Next() {
		all = append(append(all, it.Key()...), it.Value()...)
	}
	check(t, errors.Join(it.Err(), it.Close()))
	return all
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	}))
	return names
}

func TestObjects_lieEncrypted(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.open(t)
	s := root(c)
	must(s.CreateBucket(t.Context(), "bucket", "", ""))(t)
	key := must(s.CreateKey(t.Context(), local.KeyRequest{}))(t)
	const secret = "the patient's name is Winifred"
	body := strings.Repeat(secret, 5000)
	for _, e := range []local.SSE{{}, {Algorithm: local.SSEKMS, KMSKeyID: key.ID}, {Algorithm: local.SSEKMS}} {
		put(t, s, "bucket", "o"+e.Algorithm+e.KMSKeyID, body, e)
		if got, err := get(s, t, "bucket", "o"+e.Algorithm+e.KMSKeyID); err != nil || got != body {
			t.Fatalf("%+v: %d bytes, %v", e, len(got), err)
		}
	}
	if n := len(files(t, p.dir)); n != 3 {
		t.Errorf("%d files for 3 objects", n)
	}
	if bytes.Contains(p.everything(t), []byte("Winifred")) {
		t.Error("plain text lies at rest")
	}
	put(t, s, "bucket", "o", "another body", local.SSE{})
	if n := len(files(t, p.dir)); n != 3 {
		t.Errorf("%d files for 3 objects, one of them replaced", n)
	}
	put(t, s, "bucket", "twice", body, local.SSE{})
	put(t, s, "bucket", "twice again", body, local.SSE{})
	seen := map[[32]byte]bool{}
	for _, name := range files(t, p.dir) {
		data := must(os.ReadFile(name))(t)
		if sum := sha256.Sum256(data); seen[sum] {
			t.Error("equal bodies lie as equal files")
		} else {
			seen[sum] = true
		}
	}
}

func TestObjects_followTheStateOfTheirKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.open(t)
	s := root(c)
	must(s.CreateBucket(t.Context(), "bucket", "", ""))(t)
	k := must(s.CreateKey(t.Context(), local.KeyRequest{}))(t)
	e := local.SSE{Algorithm: local.SSEKMS, KMSKeyID: k.ARN}
	put(t, s, "bucket", "a", "hello", e)
	read := func(want, wantCode string) {
		t.Helper()
		got, err := get(s, t, "bucket", "a")
		if code(err) != wantCode || got != want {
			t.Errorf("read %q, %q (%v); want %q, %q", got, code(err), err, want, wantCode)
		}
	}
	read("hello", "")
	check(t, s.DisableKey(t.Context(), k.ID))
	read("", "KMS.DisabledException")
	_, err := s.PutObject(t.Context(), local.PutRequest{Bucket: "bucket", Key: "b", Body: strings.NewReader("x"), Size: 1, SSE: e})
	if code(err) != "KMS.DisabledException" {
		t.Errorf("put under a disabled key: %v", err)
	}
	if info, err := s.HeadObject(t.Context(), "bucket", "a"); err != nil || info.KMSKeyARN != k.ARN {
		t.Errorf("head needs no key: %+v, %v", info, err)
	}
	check(t, s.EnableKey(t.Context(), k.ID))
	read("hello", "")
	must(s.ScheduleKeyDeletion(t.Context(), k.ID, 7))(t)
	read("", "KMS.KMSInvalidStateException")
	must(s.CancelKeyDeletion(t.Context(), k.ID))(t)
	read("", "KMS.DisabledException")
	check(t, s.EnableKey(t.Context(), k.ID))
	check(t, s.SetKeyRotation(t.Context(), k.ID, true, 90))
	p.wait(91 * 24 * time.Hour)
	check(t, c.Sweep(t.Context()))
	read("hello", "")
	if r := must(s.KeyRotation(t.Context(), k.ID))(t); !r.Next.After(p.now()) {
		t.Errorf("the next rotation is in the past: %+v", r)
	}
	check(t, s.CreateAlias(t.Context(), "alias/mine", k.ID))
	must(s.ScheduleKeyDeletion(t.Context(), k.ID, 7))(t)
	p.wait(7 * 24 * time.Hour)
	read("", "KMS.NotFoundException")
	check(t, c.Sweep(t.Context()))
	if bytes.Contains(p.everything(t), []byte(k.ID[:13]+`-`)) && bytes.Contains(p.everything(t), []byte("keys/k/"+k.ID)) {
		t.Error("the key's row is still there after its waiting time")
	}
	if list, _, err := s.ListAliases(t.Context(), "", "", 100); err != nil || len(list) != 1 || list[0].Name != local.ManagedS3Alias {
		t.Errorf("aliases %+v, %v", list, err)
	}
}

func TestOpen_refusesAnotherMasterKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.open(t)
	other := must(seal.New(bytes.Repeat([]byte{8}, 32)))(t)
	_, err := local.Open(t.Context(), local.Options{Space: p.space, Dir: p.dir, Sealer: other, Directory: p.people, Account: account})
	if !fault.Is(err, fault.Conflict) || fault.Hint(err) == "" {
		t.Errorf("opened under another master key: %v", err)
	}
}

func TestGet_refusesDamagedBodies(t *testing.T) {
	t.Parallel()
	for _, damage := range []struct {
		name string
		do   func(name string, data []byte) error
	}{
		{"bit", func(name string, data []byte) error { data[len(data)/2] ^= 1; return os.WriteFile(name, data, 0o600) }},
		{"cut at a package", func(name string, data []byte) error { return os.Truncate(name, 65568) }},
		{"packages exchanged", func(name string, data []byte) error {
			return os.WriteFile(name, append(append(append([]byte(nil), data[65568:2*65568]...), data[:65568]...), data[2*65568:]...), 0o600)
		}},
		{"longer", func(name string, data []byte) error { return os.WriteFile(name, append(data, 0), 0o600) }},
		{"gone", func(name string, data []byte) error { return os.Remove(name) }},
	} {
		t.Run(damage.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			s := root(p.open(t))
			must(s.CreateBucket(t.Context(), "bucket", "", ""))(t)
			put(t, s, "bucket", "a", string(cloudtest.Bytes("a", 200_000)), local.SSE{})
			name := files(t, p.dir)[0]
			check(t, damage.do(name, must(os.ReadFile(name))(t)))
			if got, err := get(s, t, "bucket", "a"); !fault.Is(err, fault.Internal) {
				t.Errorf("read %d bytes, %v", len(got), err)
			}
		})
	}
}

func TestKMS_bindsContextAndKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := root(p.open(t))
	a := must(s.CreateKey(t.Context(), local.KeyRequest{}))(t)
	b := must(s.CreateKey(t.Context(), local.KeyRequest{}))(t)
	context := map[string]string{"tenant": "one", "b": ""}
	blob, arn, err := s.Encrypt(t.Context(), a.ID, []byte("plain"), context)
	if err != nil || arn != a.ARN {
		t.Fatal(arn, err)
	}
	for _, test := range []struct {
		name    string
		key     string
		blob    []byte
		context map[string]string
		want    string
	}{
		{"as it was", "", blob, context, ""},
		{"with the key", a.ARN, blob, context, ""},
		{"another key", b.ID, blob, context, "IncorrectKeyException"},
		{"no context", "", blob, nil, "InvalidCiphertextException"},
		{"another context", "", blob, map[string]string{"tenant": "two", "b": ""}, "InvalidCiphertextException"},
		{"joined otherwise", "", blob, map[string]string{"b": "tenant", "one": ""}, "InvalidCiphertextException"},
		{"cut", "", blob[:len(blob)-1], context, "InvalidCiphertextException"},
		{"empty", "", nil, context, "InvalidCiphertextException"},
		{"bit", "", append(append([]byte(nil), blob[:20]...), append([]byte{blob[20] ^ 1}, blob[21:]...)...), context, "InvalidCiphertextException"},
		{"key exchanged", "", append(append([]byte{1}, make([]byte, 16)...), blob[17:]...), context, "AccessDeniedException"},
	} {
		plain, _, err := s.Decrypt(t.Context(), test.key, test.blob, test.context)
		if code(err) != test.want || test.want == "" && string(plain) != "plain" {
			t.Errorf("%s: %q, %v; want %q", test.name, plain, err, test.want)
		}
	}
	again, from, to, err := s.ReEncrypt(t.Context(), local.ReEncryption{Blob: blob, SourceContext: context, Key: b.ID})
	if err != nil || from != a.ARN || to != b.ARN {
		t.Fatal(from, to, err)
	}
	if plain, arn, err := s.Decrypt(t.Context(), "", again, nil); err != nil || string(plain) != "plain" || arn != b.ARN {
		t.Errorf("after ReEncrypt: %q, %s, %v", plain, arn, err)
	}
}

func FuzzDecrypt(f *testing.F) {
	p := newPlace(f)
	s := root(p.open(f))
	k := must(s.CreateKey(f.Context(), local.KeyRequest{}))(f)
	blob, _, err := s.Encrypt(f.Context(), k.ID, []byte("plain"), nil)
	check(f, err)
	f.Add(blob)
	f.Add(blob[:10])
	f.Fuzz(func(t *testing.T, data []byte) {
		plain, _, err := s.Decrypt(t.Context(), "", data, nil)
		var e *cloud.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("%v is no *cloud.Error", err)
		}
		if err == nil && !bytes.Equal(data, blob) {
			t.Errorf("%x opened to %q", data, plain)
		}
	})
}

func TestKMS_errorsAndStates(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.open(t)
	s := root(c)
	k := must(s.CreateKey(t.Context(), local.KeyRequest{Description: "d", Tags: []local.Tag{{Key: "b", Value: "2"}, {Key: "a", Value: "1"}}}))(t)
	rsa := must(s.CreateKey(t.Context(), local.KeyRequest{Spec: "RSA_2048", Usage: "SIGN_VERIFY"}))(t)
	off := must(s.CreateKey(t.Context(), local.KeyRequest{}))(t)
	check(t, s.DisableKey(t.Context(), off.ID))
	check(t, s.CreateAlias(t.Context(), "alias/k", k.ID))
	managed := must(s.DescribeKey(t.Context(), local.ManagedS3Alias))(t)
	if managed.Manager != local.ManagerAWS {
		t.Errorf("manager of %s: %s", local.ManagedS3Alias, managed.Manager)
	}
	for i, test := range []struct {
		err  error
		want string
	}{
		{second(s.DescribeKey(t.Context(), "alias/none")), "NotFoundException"},
		{second(s.DescribeKey(t.Context(), "0000")), "NotFoundException"},
		{second(s.DescribeKey(t.Context(), "00000000-0000-0000-0000-000000000000")), "NotFoundException"},
		{second(s.DescribeKey(t.Context(), strings.Replace(k.ARN, account, "999999999999", 1))), "NotFoundException"},
		{second(s.DescribeKey(t.Context(), strings.Replace(k.ARN, "us-east-1", "eu-west-1", 1))), "NotFoundException"},
		{second(s.DescribeKey(t.Context(), "arn:aws:s3:::x")), "InvalidArnException"},
		{second(s.DescribeKey(t.Context(), "")), "ValidationException"},
		{second(s.CreateKey(t.Context(), local.KeyRequest{Spec: "SM2"})), "ValidationException"},
		{second(s.CreateKey(t.Context(), local.KeyRequest{Spec: "RSA_2048"})), "ValidationException"},
		{second(s.CreateKey(t.Context(), local.KeyRequest{Spec: "HMAC_256", Usage: "SIGN_VERIFY"})), "ValidationException"},
		{second(s.CreateKey(t.Context(), local.KeyRequest{Policy: "{"})), "MalformedPolicyDocumentException"},
		{second(s.CreateKey(t.Context(), local.KeyRequest{Policy: policyFor("arn:aws:iam::" + account + ":user/other")})), "MalformedPolicyDocumentException"},
		{second(s.CreateKey(t.Context(), local.KeyRequest{Tags: []local.Tag{{Key: "aws:x"}}})), "TagException"},
		{s.CreateAlias(t.Context(), "alias/k", off.ID), "AlreadyExistsException"},
		{s.CreateAlias(t.Context(), "alias/aws/mine", k.ID), "InvalidAliasNameException"},
		{s.CreateAlias(t.Context(), "k", k.ID), "InvalidAliasNameException"},
		{s.UpdateAlias(t.Context(), "alias/none", k.ID), "NotFoundException"},
		{s.UpdateAlias(t.Context(), "alias/k", rsa.ID), "ValidationException"},
		{s.DeleteAlias(t.Context(), "alias/none"), "NotFoundException"},
		{second3(s.Encrypt(t.Context(), off.ID, []byte("x"), nil)), "DisabledException"},
		{second3(s.Encrypt(t.Context(), rsa.ID, []byte("x"), nil)), "UnsupportedOperationException"},
		{second3(s.Encrypt(t.Context(), k.ID, nil, nil)), "ValidationException"},
		{second3(s.Encrypt(t.Context(), k.ID, make([]byte, 4097), nil)), "ValidationException"},
		{second(s.GenerateDataKey(t.Context(), "kms:GenerateDataKey", k.ID, 1025, nil)), "ValidationException"},
		{second(s.ScheduleKeyDeletion(t.Context(), k.ID, 6)), "ValidationException"},
		{second(s.CancelKeyDeletion(t.Context(), k.ID)), "KMSInvalidStateException"},
		{s.DisableKey(t.Context(), managed.ID), "AccessDeniedException"},
		{second3(s.Encrypt(t.Context(), managed.ID, []byte("x"), nil)), "AccessDeniedException"},
		{s.SetKeyRotation(t.Context(), rsa.ID, true, 0), "UnsupportedOperationException"},
	} {
		if got := code(test.err); got != test.want {
			t.Errorf("%d: %v, want %s", i, test.err, test.want)
		}
	}
	if err := s.UpdateAlias(t.Context(), "alias/k", off.ID); err != nil {
		t.Error(err)
	}
	if got := must(s.DescribeKey(t.Context(), "arn:aws:kms:us-east-1:"+account+":alias/k"))(t); got.ID != off.ID {
		t.Errorf("the alias leads to %s", got.ID)
	}
	if tags := must(s.KeyTags(t.Context(), k.ID))(t); fmt.Sprint(tags) != "[{a 1} {b 2}]" {
		t.Errorf("tags %v", tags)
	}
	var all []string
	for marker := ""; ; {
		page, next, err := s.ListKeys(t.Context(), marker, 2)
		check(t, err)
		for _, k := range page {
			all = append(all, k.ID)
		}
		if marker = next; next == "" {
			break
		}
	}
	if len(all) != 4 {
		t.Errorf("listed %d keys, there are 4", len(all))
	}
}

func policyFor(arn string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + arn + `"},"Action":"kms:*","Resource":"*"}}`
}

func second[T any](_ T, err error) error          { return err }
func second3[T, U any](_ T, _ U, err error) error { return err }

func TestReader_readsAcrossPackagesAndParts(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := root(p.open(t))
	must(s.CreateBucket(t.Context(), "bucket", "", ""))(t)
	up := must(s.CreateUpload(t.Context(), local.PutRequest{Bucket: "bucket", Key: "m"}, ""))(t)
	sizes := []int{5 << 20, 5<<20 + 1, 0, 70_000}
	var whole []byte
	var parts []local.Part
	for i, n := range sizes[:2] {
		parts = append(parts, uploadPart(t, s, up.ID, i+1, cloudtest.Bytes(fmt.Sprint(i), n)))
		whole = append(whole, cloudtest.Bytes(fmt.Sprint(i), n)...)
	}
	parts = append(parts, uploadPart(t, s, up.ID, 9, cloudtest.Bytes("9", 70_000)))
	whole = append(whole, cloudtest.Bytes("9", 70_000)...)
	must(s.CompleteUpload(t.Context(), local.CompleteRequest{Bucket: "bucket", Key: "m", Upload: up.ID, Parts: parts}))(t)
	o := must(s.GetObject(t.Context(), "bucket", "m"))(t)
	defer func() { _ = o.Close() }()
	for _, edge := range []int64{0, 65536, 5 << 20, 10<<20 + 1, int64(len(whole))} {
		for _, from := range []int64{edge - 65537, edge - 1, edge, edge + 1} {
			for _, n := range []int64{1, 2, 65536, 6 << 20} {
				if from < 0 || from >= o.Size {
					continue
				}
				n = min(n, o.Size-from)
				r := must(o.Open(t.Context(), from, n))(t)
				got := must(io.ReadAll(r))(t)
				check(t, r.Close())
				if !bytes.Equal(got, whole[from:from+n]) {
					t.Errorf("[%d,+%d) reads other bytes", from, n)
				}
			}
		}
	}
	if off, n, ok := o.PartRange(3); !ok || off != 10<<20+1 || n != 70_000 {
		t.Errorf("part 3 lies at %d, %d, %v", off, n, ok)
	}
}

func uploadPart(t *testing.T, s *local.Session, upload string, number int, body []byte) local.Part {
	t.Helper()
	return must(s.UploadPart(t.Context(), local.PartRequest{Bucket: "bucket", Key: "m", Upload: upload, Number: number, Body: bytes.NewReader(body), Size: int64(len(body))}))(t)
}
