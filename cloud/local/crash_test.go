package local_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tarn/cloud/cloudtest"
	"tarn/cloud/local"
	"tarn/fault"
)

// TestPut_holdsAtEveryFault lets the write of the record fail before and after it took place, and looks whether the
// object is whole, old or new, and whether nothing is left over after a restart.
func TestPut_holdsAtEveryFault(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for _, overwrite := range []bool{false, true} {
			t.Run(fmt.Sprintf("after=%v,overwrite=%v", after, overwrite), func(t *testing.T) {
				t.Parallel()
				p := newPlace(t)
				c := p.open(t)
				s := root(c)
				must(s.CreateBucket(t.Context(), "bucket", "", ""))(t)
				if overwrite {
					put(t, s, "bucket", "a", "old", local.SSE{})
				}
				check(t, c.Close())
				if after {
					p.engine.FailAfter(1)
				} else {
					p.engine.FailBefore(1)
				}
				_, err := s.PutObject(t.Context(), local.PutRequest{Bucket: "bucket", Key: "a", Body: strings.NewReader("new"), Size: 3})
				if !fault.Is(err, fault.Unavailable) {
					t.Fatalf("the put told %v", err)
				}
				p.engine.FailAfter(0)
				again := p.open(t)
				check(t, again.Sweep(t.Context()))
				want, files1 := "", 0
				switch {
				case after:
					want, files1 = "new", 1
				case overwrite:
					want, files1 = "old", 1
				}
				got, err := get(root(again), t, "bucket", "a")
				if got != want || (want == "") != fault.Is(err, fault.NotFound) {
					t.Errorf("read %q, %v; want %q", got, err, want)
				}
				if n := len(files(t, p.dir)); n != files1 {
					t.Errorf("%d files, want %d", n, files1)
				}
			})
		}
	}
}

func TestSweep_removesOrphansOnly(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.open(t)
	s := root(c)
	must(s.CreateBucket(t.Context(), "bucket", "", ""))(t)
	put(t, s, "bucket", "kept", "kept", local.SSE{})
	up := must(s.CreateUpload(t.Context(), local.PutRequest{Bucket: "bucket", Key: "m"}, ""))(t)
	uploadPart(t, s, up.ID, 1, []byte("part"))
	orphan := filepath.Join(p.dir, "buckets", "bucket", "ab", "ab"+strings.Repeat("0", 30))
	check(t, os.MkdirAll(filepath.Dir(orphan), 0o700))
	check(t, os.WriteFile(orphan, []byte("half a body"), 0o600))
	foreign := filepath.Join(p.dir, "buckets", "bucket", "ab", "README")
	check(t, os.WriteFile(foreign, []byte("not ours"), 0o600))
	check(t, c.Sweep(t.Context()))
	if _, err := os.Stat(orphan); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the orphan is still there: %v", err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("a file of somebody else is gone: %v", err)
	}
	if got, err := get(s, t, "bucket", "kept"); err != nil || got != "kept" {
		t.Errorf("kept: %q, %v", got, err)
	}
	if _, parts, _, err := s.ListParts(t.Context(), "bucket", "m", up.ID, 0, 10); err != nil || len(parts) != 1 {
		t.Errorf("parts %v, %v", parts, err)
	}
	p.wait(8 * 24 * time.Hour)
	check(t, c.Sweep(t.Context()))
	if _, _, _, err := s.ListParts(t.Context(), "bucket", "m", up.ID, 0, 10); code(err) != "NoSuchUpload" {
		t.Errorf("an upload of a week ago: %v", err)
	}
	if n := len(files(t, p.dir)); n != 2 {
		t.Errorf("%d files, want the kept object's and the foreign one", n)
	}
}

// TestSweep_leavesWritingAlone sweeps while a body is on its way.
func TestSweep_leavesWritingAlone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.open(t)
	s := root(c)
	must(s.CreateBucket(t.Context(), "bucket", "", ""))(t)
	body := cloudtest.Bytes("b", 3<<20)
	swept := false
	r := io.MultiReader(bytes.NewReader(body[:2<<20]), sweeping{func() error { swept = true; return c.Sweep(t.Context()) }}, bytes.NewReader(body[2<<20:]))
	must(s.PutObject(t.Context(), local.PutRequest{Bucket: "bucket", Key: "a", Body: r, Size: int64(len(body))}))(t)
	if got, err := get(s, t, "bucket", "a"); err != nil || got != string(body) || !swept {
		t.Errorf("%d bytes, %v, swept %v", len(got), err, swept)
	}
}

type sweeping struct{ sweep func() error }

func (s sweeping) Read([]byte) (int, error) {
	if err := s.sweep(); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

func TestGet_readsOnWhileTheObjectGoes(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.open(t)
	s, other := root(c), root(c)
	must(s.CreateBucket(t.Context(), "bucket", "", ""))(t)
	up := must(s.CreateUpload(t.Context(), local.PutRequest{Bucket: "bucket", Key: "m"}, ""))(t)
	one, two := cloudtest.Bytes("1", 5<<20), cloudtest.Bytes("2", 1000)
	parts := []local.Part{uploadPart(t, s, up.ID, 1, one), uploadPart(t, s, up.ID, 2, two)}
	must(s.CompleteUpload(t.Context(), local.CompleteRequest{Bucket: "bucket", Key: "m", Upload: up.ID, Parts: parts}))(t)
	o := must(s.GetObject(t.Context(), "bucket", "m"))(t)
	r := must(o.Open(t.Context(), 0, o.Size))(t)
	must(io.ReadFull(r, make([]byte, 10)))(t)
	check(t, other.DeleteObject(t.Context(), "bucket", "m"))
	check(t, c.Sweep(t.Context()))
	rest := must(io.ReadAll(r))(t)
	if !bytes.Equal(rest, append(one[10:], two...)) {
		t.Errorf("read on %d bytes", len(rest))
	}
	check(t, r.Close())
	if n := len(files(t, p.dir)); n != 2 {
		t.Errorf("%d files while it is read", n)
	}
	check(t, o.Close())
	if n := len(files(t, p.dir)); n != 0 {
		t.Errorf("%d files after it was read", n)
	}
}

func TestPut_refusesWhatIsNotWhatWasPromised(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := root(p.open(t))
	must(s.CreateBucket(t.Context(), "bucket", "", ""))(t)
	put(t, s, "bucket", "a", "old", local.SSE{})
	broken := errors.New("the line broke")
	for _, test := range []struct {
		name string
		r    local.PutRequest
		want string
	}{
		{"short", local.PutRequest{Body: strings.NewReader("abc"), Size: 4}, "IncompleteBody"},
		{"long", local.PutRequest{Body: strings.NewReader("abc"), Size: 2}, "IncompleteBody"},
		{"cut off", local.PutRequest{Body: io.MultiReader(strings.NewReader("abc"), failing{io.ErrUnexpectedEOF}), Size: 3}, "IncompleteBody"},
		{"broken", local.PutRequest{Body: io.MultiReader(strings.NewReader("abc"), failing{broken}), Size: 3}, "no cloud.Error: the line broke"},
		{"other MD5", local.PutRequest{Body: strings.NewReader("abc"), Size: 3, MD5: make([]byte, 16)}, "BadDigest"},
		{"other sum", local.PutRequest{Body: strings.NewReader("abc"), Size: 3, Checksum: local.Checksum{Algorithm: "CRC32", Value: "AAAAAA=="}}, "BadDigest"},
		{"no sum", local.PutRequest{Body: strings.NewReader("abc"), Size: 3, Checksum: local.Checksum{Algorithm: "CRC32", Value: "AAAA"}}, "InvalidRequest"},
		{"other trailer", local.PutRequest{Body: strings.NewReader("abc"), Size: 3, Checksum: local.Checksum{Algorithm: "CRC32C", Trailer: func() string { return "AAAAAA==" }}}, "BadDigest"},
		{"MD4", local.PutRequest{Body: strings.NewReader("abc"), Size: 3, Checksum: local.Checksum{Algorithm: "MD4"}}, "InvalidRequest"},
		{"there is one", local.PutRequest{Body: strings.NewReader("abc"), Size: 3, IfNoneMatch: true}, "PreconditionFailed"},
		{"another is there", local.PutRequest{Body: strings.NewReader("abc"), Size: 3, IfMatch: "0123"}, "PreconditionFailed"},
		{"too large", local.PutRequest{Body: strings.NewReader("abc"), Size: local.MaxPut + 1}, "EntityTooLarge"},
		{"long key", local.PutRequest{Key: strings.Repeat("k", 1001), Body: strings.NewReader("abc"), Size: 3}, "KeyTooLongError"},
		{"unknown encryption", local.PutRequest{Body: strings.NewReader("abc"), Size: 3, SSE: local.SSE{Algorithm: "rot13"}}, "InvalidEncryptionAlgorithmError"},
		{"key without KMS", local.PutRequest{Body: strings.NewReader("abc"), Size: 3, SSE: local.SSE{KMSKeyID: "alias/x"}}, "InvalidArgument"},
		{"key that is not there", local.PutRequest{Body: strings.NewReader("abc"), Size: 3, SSE: local.SSE{Algorithm: local.SSEKMS, KMSKeyID: "alias/x"}}, "KMS.NotFoundException"},
		{"public", local.PutRequest{Body: strings.NewReader("abc"), Size: 3, ACL: "public-read"}, "AccessDenied"},
	} {
		test.r.Bucket = "bucket"
		if test.r.Key == "" {
			test.r.Key = "a"
		}
		_, err := s.PutObject(t.Context(), test.r)
		if code(err) != test.want {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
		if got, err := get(s, t, "bucket", "a"); err != nil || got != "old" {
			t.Fatalf("%s: the old object is %q, %v", test.name, got, err)
		}
	}
	if n := len(files(t, p.dir)); n != 1 {
		t.Errorf("%d files for one object", n)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
