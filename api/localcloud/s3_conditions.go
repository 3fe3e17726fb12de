package localcloud

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tarn/cloud"
	"tarn/cloud/local"
	"tarn/fault"
)

// conditions holds an object against If-Match and the like (RFC 9110, 13.2.2); prefix is that of the headers, which a
// copy has. Where a read should be answered without its body the status is not 0.
func conditions(h http.Header, prefix string, o local.ObjectInfo) (status int, err error) {
	get := func(name string) string { return h.Get(prefix + name) }
	failed := &cloud.Error{Kind: fault.Precondition, Code: "PreconditionFailed", Msg: "At least one of the pre-conditions you specified did not hold"}
	modified := o.Modified.Truncate(time.Second)
	if tags := get("If-Match"); tags != "" {
		if !matches(tags, o.ETag) {
			return 0, failed
		}
	} else if t, err := http.ParseTime(get("If-Unmodified-Since")); err == nil && modified.After(t) {
		return 0, failed
	}
	unmodified := false
	if tags := get("If-None-Match"); tags != "" {
		unmodified = matches(tags, o.ETag)
	} else if t, err := http.ParseTime(get("If-Modified-Since")); err == nil {
		unmodified = !modified.After(t)
	}
	switch {
	case unmodified && prefix != "":
		return 0, failed
	case unmodified:
		return http.StatusNotModified, nil
	}
	return 0, nil
}

func matches(tags, tag string) bool {
	for t := range strings.SplitSeq(tags, ",") {
		if t = unquoted(t); t == "*" || t == tag {
			return true
		}
	}
	return false
}

// byteRange reads a Range header of an object of that size. What S3 does not understand it passes over.
func byteRange(text string, size int64) (offset, n int64, partial bool, err error) {
	spec, ok := strings.CutPrefix(strings.TrimSpace(text), "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return 0, size, false, nil
	}
	unsatisfiable := &cloud.Error{Kind: fault.Invalid, Code: "InvalidRange", Msg: "The requested range is not satisfiable"}
	if first == "" { // the last so many bytes
		tail, err := strconv.ParseInt(last, 10, 64)
		if err != nil || tail < 0 {
			return 0, size, false, nil
		}
		if tail == 0 || size == 0 {
			return 0, 0, false, unsatisfiable
		}
		tail = min(tail, size)
		return size - tail, tail, true, nil
	}
	from, err := strconv.ParseInt(first, 10, 64)
	if err != nil || from < 0 {
		return 0, size, false, nil
	}
	to := size - 1
	if last != "" {
		if to, err = strconv.ParseInt(last, 10, 64); err != nil || to < from {
			return 0, size, false, nil
		}
	}
	if from >= size {
		return 0, 0, false, unsatisfiable
	}
	to = min(to, size-1)
	return from, to - from + 1, true, nil
}

func setRange(h http.Header, offset, n, size int64) {
	if n > 0 {
		h["Content-Range"] = []string{"bytes " + strconv.FormatInt(offset, 10) + "-" + strconv.FormatInt(offset+n-1, 10) + "/" + strconv.FormatInt(size, 10)}
	}
}

// s3Told is the code and the text of an error that callers may be told.
func s3Told(err error) (code, msg string, ok bool) {
	var e *cloud.Error
	if errors.As(err, &e) {
		return e.Code, e.Msg, true
	}
	return "", "", false
}

type xmlSums struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

func sumsOf(sums map[string]string, kind string) xmlSums {
	out := xmlSums{ChecksumCRC32: sums["CRC32"], ChecksumCRC32C: sums["CRC32C"], ChecksumCRC64NVME: sums["CRC64NVME"],
		ChecksumSHA1: sums["SHA1"], ChecksumSHA256: sums["SHA256"]}
	if len(sums) > 0 {
		out.ChecksumType = kind
	}
	return out
}

func (s xmlSums) of(algorithm string) string {
	switch algorithm {
	case "CRC32":
		return s.ChecksumCRC32
	case "CRC32C":
		return s.ChecksumCRC32C
	case "CRC64NVME":
		return s.ChecksumCRC64NVME
	case "SHA1":
		return s.ChecksumSHA1
	case "SHA256":
		return s.ChecksumSHA256
	}
	return ""
}
