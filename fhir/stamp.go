package fhir

import "strconv"

// AppendStamped appends the resource's bytes to dst with id, meta.versionId and meta.lastUpdated set; all else stays
// byte for byte. Values that stand there are replaced in place. A missing id goes right behind resourceType, a missing
// meta right behind id, missing members of meta to its front. The result is a function of the arguments alone, and
// stamping what was stamped with the same values gives the same bytes.
func (r Resource) AppendStamped(dst []byte, id string, version uint64, at Instant) []byte {
	cuts, n := r.cuts()
	from := uint32(0)
	for _, c := range cuts[:n] {
		dst = append(dst, r.data[from:c.start]...)
		from = c.end
		switch c.what {
		case cutID:
			dst = appendQuoted(dst, id)
		case cutNewID:
			dst = append(dst, `,"id":`...)
			dst = appendQuoted(dst, id)
		case cutVersion:
			dst = appendVersion(dst, version)
		case cutUpdated:
			dst = appendUpdated(dst, at)
		case cutNewMeta:
			dst = append(dst, `,"meta":{`...)
			dst = r.appendMissing(dst, version, at)
			dst = append(dst, '}')
		case cutMembers:
			dst = r.appendMissing(dst, version, at)
			if r.meta.end-r.meta.start > uint32(len("{}")) {
				dst = append(dst, ',')
			}
		}
	}
	return append(dst, r.data[from:]...)
}

// StampedSize is how many bytes AppendStamped appends for these arguments: exact for a FHIR id, otherwise an upper bound.
func (r Resource) StampedSize(id string, version uint64, _ Instant) int {
	const quotes = len(`""`)
	size := len(r.data) + quotes + len(id)
	if !validID(id) {
		size += 5 * len(id) // \u0000 is the longest escape
	}
	if r.id.ok() {
		size -= int(r.id.end - r.id.start)
	} else {
		size += len(`,"id":`)
	}
	if r.version.ok() {
		size -= int(r.version.end - r.version.start)
	} else {
		size += len(`"versionId":`)
	}
	if r.updated.ok() {
		size -= int(r.updated.end - r.updated.start)
	} else {
		size += len(`"lastUpdated":`)
	}
	size += 2*quotes + decimals(version) + instantLen
	switch {
	case !r.meta.ok():
		size += len(`,"meta":{,}`)
	case !r.version.ok() && !r.updated.ok():
		size += len(",")
		if r.meta.end-r.meta.start > uint32(len("{}")) {
			size += len(",")
		}
	case !r.version.ok() || !r.updated.ok():
		size += len(",")
	}
	return size
}

func decimals(n uint64) int {
	digits := 1
	for ; n > 9; n /= 10 {
		digits++
	}
	return digits
}

// cut is a part of the bytes that gives way to something else; an empty one is a place to insert.
type cut struct {
	span
	what uint8
}

const (
	cutID uint8 = iota + 1
	cutNewID
	cutNewMeta
	cutMembers
	cutVersion
	cutUpdated
)

// cuts are the places to change in ascending order.
func (r Resource) cuts() (cuts [4]cut, n int) {
	add := func(s span, what uint8) {
		i := n
		for ; i > 0 && cuts[i-1].start > s.start; i-- {
			cuts[i] = cuts[i-1]
		}
		cuts[i] = cut{s, what}
		n++
	}
	behind := r.typeEnd
	if r.id.ok() {
		add(r.id, cutID)
		behind = r.id.end
	} else {
		add(span{behind, behind}, cutNewID)
	}
	if !r.meta.ok() {
		add(span{behind, behind}, cutNewMeta)
		return cuts, n
	}
	if !r.version.ok() || !r.updated.ok() {
		add(span{r.meta.start + 1, r.meta.start + 1}, cutMembers)
	}
	if r.version.ok() {
		add(r.version, cutVersion)
	}
	if r.updated.ok() {
		add(r.updated, cutUpdated)
	}
	return cuts, n
}

// appendMissing appends the members that meta lacks.
func (r Resource) appendMissing(dst []byte, version uint64, at Instant) []byte {
	if !r.version.ok() {
		dst = append(dst, `"versionId":`...)
		dst = appendVersion(dst, version)
		if !r.updated.ok() {
			dst = append(dst, ',')
		}
	}
	if !r.updated.ok() {
		dst = append(dst, `"lastUpdated":`...)
		dst = appendUpdated(dst, at)
	}
	return dst
}

func appendVersion(dst []byte, version uint64) []byte {
	return append(strconv.AppendUint(append(dst, '"'), version, 10), '"')
}

func appendUpdated(dst []byte, at Instant) []byte {
	return append(at.AppendTo(append(dst, '"')), '"')
}
