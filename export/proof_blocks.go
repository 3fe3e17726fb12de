package export

import "bytes"

// header is the beginning of a block in a file.
type header struct {
	patient idHash
	line    int32
	before  int // ids of the file that stand before it
}

// header takes a line that begins a block.
func (p *proof) header(line []byte, ids hasher) {
	id, ok := bytes.CutPrefix(bytes.TrimSuffix(line, newline), []byte(headerBefore))
	if ok {
		id, ok = bytes.CutSuffix(id, []byte(headerBehind))
	}
	if !ok {
		p.problem("Line %d is no header of a block.", p.got.Count)
		return
	}
	p.got.Blocks++
	p.headers = append(p.headers, header{ids.of(string(id)), int32(p.got.Count), len(p.ids)})
}

// blockProof holds the blocks of files against each other, file by file in the order of the manifest.
type blockProof struct {
	repeats  bool   // what the resources refer to may be told again where a block goes on
	next     string // the file in which the last block goes on
	patient  idHash // of the last block
	patients map[idHash]struct{}
	seen     map[idHash]struct{} // resources of the last block
}

func (b *blockProof) take(f File, p *proof) {
	if p.missing {
		b.next = f.Continues
		return
	}
	goesOn := b.next != "" && b.next == f.Name
	if b.next != "" && !goesOn {
		p.problem("The file before goes on in %s, which does not follow it.", b.next)
	}
	if b.patients == nil {
		b.patients = map[idHash]struct{}{}
	}
	if goesOn && (len(p.headers) == 0 || p.headers[0].line != 1 || p.headers[0].patient != b.patient) {
		p.problem("The block of the file before does not go on in this one.")
	}
	for i, h := range p.headers {
		if again := i == 0 && goesOn && h.patient == b.patient; !again || b.repeats {
			b.seen = map[idHash]struct{}{}
			if _, twice := b.patients[h.patient]; twice && !again {
				p.problem("Line %d begins a second block of a patient.", h.line)
			}
		}
		b.patient = h.patient
		b.patients[h.patient] = struct{}{}
		end := len(p.ids)
		if i+1 < len(p.headers) {
			end = p.headers[i+1].before
		}
		for n := h.before; n < end; n++ {
			if _, twice := b.seen[p.ids[n]]; twice {
				p.problem("Line %d is a resource that stood in this block before.", p.lines[n])
			}
			b.seen[p.ids[n]] = struct{}{}
		}
	}
	b.next = f.Continues
}
