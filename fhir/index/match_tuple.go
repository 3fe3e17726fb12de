package index

import (
	"slices"

	"tarn/fhir"
)

// tuple compiles a value of a composite parameter: one value for each part, with $ between them.
func (s *subject) tuple(value string, of *param) ([]piece, error) {
	if s.modifier != "" {
		return nil, s.refuse(codeNotSupported, "has a modifier, and a parameter of type composite has none")
	}
	values := divide(value, '$')
	parts := make([]pieces, len(s.param.Components))
	if len(values) != len(parts) {
		return nil, s.refuse(fhir.CodeValue, "has %d values where %d are needed, with $ between them", len(values), len(parts))
	}
	for i, c := range s.param.Components {
		part := &subject{param: c.Param, typ: of.types[i], name: s.name, kinds: of.parts[i], env: s.env}
		some, err := part.pieces(values[i])
		if err != nil {
			return nil, err
		}
		parts[i] = newPieces(some)
	}
	test := func(v []byte, cut bool) Verdict { return judgeTuple(parts, v[1:], cut) }
	var all []piece
	for _, first := range parts[0].all {
		from, to := appendEscaped([]byte{formTuple}, first.from), []byte{formTuple + 1}
		if n := len(first.to); n > 0 && first.to[n-1] == 0 { // up to a value: its tuples go on behind it
			to = after(appendFrame([]byte{formTuple}, first.to[:n-1]))
		} else if n > 0 {
			to = appendEscaped([]byte{formTuple}, first.to)
		}
		if !first.isOne() || len(parts) != 2 {
			all = append(all, piece{from, to, test})
			continue
		}
		frame := appendFrame([]byte{formTuple}, first.from)
		for _, second := range parts[1].all {
			p := piece{from: slices.Concat(frame, second.from), to: after(frame)}
			if second.to != nil {
				p.to = slices.Concat(frame, second.to)
			}
			if first.test != nil || second.test != nil {
				p.test = test
			}
			all = append(all, p)
		}
	}
	return all, nil
}

// judgeTuple judges each part of a tuple.
func judgeTuple(parts []pieces, v []byte, cut bool) Verdict {
	all := Yes
	var buf [64]byte
	for i := range parts {
		if i == len(parts)-1 {
			return both(all, parts[i].judge(v, cut))
		}
		part, rest, ok := cutFrame(buf[:0], v)
		if !ok {
			return unknown(cut)
		}
		if all = both(all, parts[i].judge(part, false)); all == No {
			return No
		}
		v = rest
	}
	return all
}
