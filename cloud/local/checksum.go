package local

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"slices"

	"tarn/fault"
)

// checksumAlgorithms stand in the order in which S3 lists them.
var checksumAlgorithms = []string{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"}

// ChecksumAlgorithms are the algorithms of additional checksums.
func ChecksumAlgorithms() []string { return slices.Clone(checksumAlgorithms) }

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	nvme       = crc64.MakeTable(0x9a6c9329ac4bc9b5)
)

// Checksum is a checksum that comes with a body. The zero value is none.
type Checksum struct {
	Algorithm string // one of ChecksumAlgorithms; empty: none
	// Value is the base64 that it must have. Where it comes after the body, Value is empty and Trailer is called when
	// the body has been read. Where both are missing, the checksum is computed and kept.
	Value   string
	Trailer func() string
}

func newChecksum(algorithm string) hash.Hash {
	switch algorithm {
	case "CRC32":
		return crc32.NewIEEE()
	case "CRC32C":
		return crc32.New(castagnoli)
	case "CRC64NVME":
		return crc64.New(nvme)
	case "SHA1":
		return sha1.New()
	case "SHA256":
		return sha256.New()
	}
	return nil
}

func (c Checksum) start() (hash.Hash, error) {
	if c.Algorithm == "" {
		return nil, nil
	}
	h := newChecksum(c.Algorithm)
	if h == nil {
		return nil, s3Error(fault.Invalid, "InvalidRequest", "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	return h, nil
}

func (c Checksum) check(h hash.Hash) (map[string]string, error) {
	want, got := c.Value, b64(h.Sum(nil))
	if want == "" && c.Trailer != nil {
		want = c.Trailer()
	}
	if want != "" && want != got {
		if raw, err := base64.StdEncoding.DecodeString(want); err != nil || len(raw) != h.Size() {
			return nil, s3Error(fault.Invalid, "InvalidRequest", "Value for x-amz-checksum-%s header is invalid.", c.Algorithm)
		}
		return nil, s3Error(fault.Invalid, "BadDigest", "The %s you specified did not match the calculated checksum.", c.Algorithm)
	}
	return map[string]string{c.Algorithm: got}, nil
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
