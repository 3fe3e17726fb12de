package index

// A composite's value is a tuple of one value for each part. All but the last are framed, so that a tuple can be taken
// apart and sorts by its first part: 01 within becomes 01 ff, and 01 01 ends it.
const (
	frameEscape = 0x01
	frameEnd    = 0x01
	frameByte   = 0xff
)

// maxTuples bounds what one element can make by multiplying its values.
const maxTuples = 1000

// Enter implements path.Sink: what is found from here on belongs together.
func (x *Extractor) Enter(int) { x.marks = append(x.marks, len(x.held)) }

// Leave implements path.Sink: it makes the tuples of what was found since Enter.
func (x *Extractor) Leave(query int) {
	last := len(x.marks) - 1
	mark := x.marks[last]
	x.marks = x.marks[:last]
	at := 0
	for x.plan.tuples[at].query != query {
		at++
	}
	t := &x.plan.tuples[at]
	if t.extra != nil {
		x.extra, x.open = true, at
		t.extra.Run(x.resource, x)
		x.extra = false
	}
	if complete(x.held[mark:], at, t.parts) {
		x.param, x.alone = t.param, true
		x.multiply(mark, at, t.parts)
		x.alone = false
	}
	kept := x.held[:mark]
	for _, h := range x.held[mark:] {
		if h.tuple != at {
			kept = append(kept, h)
		}
	}
	x.held = kept
}

// complete reports whether each part of a tuple has a value.
func complete(all []held, tuple, parts int) bool {
	var seen uint
	for i := range all {
		if all[i].tuple == tuple && all[i].encode != nil {
			seen |= 1 << all[i].part
		}
	}
	return seen == 1<<parts-1
}

// multiply encodes the values of the parts and emits all tuples of them.
func (x *Extractor) multiply(mark, at, parts int) {
	first := len(x.values)
	x.parts = x.parts[:0]
	var ends [8]int
	for part := range parts {
		for _, h := range x.held[mark:] {
			if h.tuple == at && h.part == part && h.encode != nil {
				h.encode(x, h.node)
			}
		}
		x.parts = append(x.parts, x.values[first:]...)
		x.values = x.values[:first]
		ends[part] = len(x.parts)
	}
	var chosen [8]int
	for part := range parts {
		if part > 0 {
			chosen[part] = ends[part-1]
		}
		if chosen[part] == ends[part] {
			return
		}
	}
	for count := 0; count < maxTuples; count++ {
		x.buf = append(x.buf, formTuple)
		for part := range parts {
			v := x.parts[chosen[part]]
			if part < parts-1 {
				x.buf = appendFrame(x.buf, x.buf[v.from:v.to])
			} else {
				x.buf = append(x.buf, x.buf[v.from:v.to]...)
			}
		}
		x.emit()
		part := parts - 1
		for ; part >= 0; part-- { // the next choice
			if chosen[part]++; chosen[part] < ends[part] {
				break
			}
			chosen[part] = 0
			if part > 0 {
				chosen[part] = ends[part-1]
			}
		}
		if part < 0 {
			return
		}
	}
}

// appendEscaped appends a part without its end.
func appendEscaped(dst, part []byte) []byte {
	for _, c := range part {
		if dst = append(dst, c); c == frameEscape {
			dst = append(dst, frameByte)
		}
	}
	return dst
}

func appendFrame(dst, part []byte) []byte {
	return append(appendEscaped(dst, part), frameEscape, frameEnd)
}

// cutFrame takes the first part off a tuple; it is appended to dst. ok is false if its end is missing.
func cutFrame(dst, v []byte) (part, rest []byte, ok bool) {
	for i := 0; i < len(v); i++ {
		if v[i] != frameEscape {
			dst = append(dst, v[i])
			continue
		}
		if i++; i == len(v) {
			break
		}
		if v[i] == frameEnd {
			return dst, v[i+1:], true
		}
		dst = append(dst, frameEscape)
	}
	return dst, nil, false
}
