package main

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tarn/fhir/r4"
)

// encoder writes the table that tables.go of package r4 reads: every number a varint, every text the number of a string
// in the table of strings, every list of texts the number of a list.
type encoder struct {
	body    []byte
	strings pool
	lists   pool
	listed  [][]int
}

// pool numbers texts in the order of their first use.
type pool struct {
	numbers map[string]int
	texts   []string
}

func (p *pool) number(text string) int {
	n, ok := p.numbers[text]
	if !ok {
		if p.numbers == nil {
			p.numbers = map[string]int{}
		}
		n = len(p.texts)
		p.numbers[text] = n
		p.texts = append(p.texts, text)
	}
	return n
}

func (e *encoder) uint(n int)    { e.body = binary.AppendUvarint(e.body, uint64(n)) }
func (e *encoder) text(s string) { e.uint(e.strings.number(s)) }

// list writes a list of texts; 0 is the empty one.
func (e *encoder) list(texts []string) {
	if len(texts) == 0 {
		e.uint(0)
		return
	}
	n := e.lists.number(strings.Join(texts, "\x00"))
	if n == len(e.listed) {
		var numbers []int
		for _, t := range texts {
			numbers = append(numbers, e.strings.number(t))
		}
		e.listed = append(e.listed, numbers)
	}
	e.uint(n + 1)
}

func encode(s *structures, p *params, compartments []compartment) ([]byte, error) {
	e := new(encoder)
	e.strings.number("")
	e.structures(s)
	e.params(p)
	e.compartments(compartments)

	head := &encoder{strings: e.strings}
	head.uint(len(e.listed))
	total := 0
	for _, list := range e.listed {
		total += len(list)
	}
	head.uint(total)
	for _, list := range e.listed {
		head.uint(len(list))
		for _, n := range list {
			head.uint(n)
		}
	}
	out := []byte(r4.TableMagic)
	out = binary.AppendUvarint(out, uint64(len(e.strings.texts)))
	for _, t := range e.strings.texts {
		out = binary.AppendUvarint(out, uint64(len(t)))
	}
	out = append(out, strings.Join(e.strings.texts, "")...)
	out = append(out, head.body...)
	out = append(out, e.body...)
	return out, nil
}

func (e *encoder) structures(s *structures) {
	e.uint(len(s.invariants))
	for _, inv := range s.invariants {
		e.text(inv.Key)
		e.text(inv.path)
		e.text(inv.Severity)
		e.text(inv.Human)
		e.text(inv.Expression)
	}
	sets := slices.SortedFunc(maps.Values(s.bindings), func(a, b *binding) int {
		return strings.Compare(fmt.Sprint(a.valueSet, a.strength), fmt.Sprint(b.valueSet, b.strength))
	})
	number := map[*binding]int{}
	e.uint(len(sets))
	for i, b := range sets {
		number[b] = i + 1
		e.uint(int(b.strength))
		e.text(b.valueSet)
		e.uint(len(b.codes))
		for _, system := range slices.Sorted(maps.Keys(b.codes)) {
			e.text(system)
			e.uint(len(b.codes[system]))
			for _, code := range b.codes[system] {
				e.text(code)
			}
		}
	}
	place := map[string]int{}
	elements, fields := 0, 0
	for i, st := range s.all {
		place[st.name] = i
		elements += len(st.elements)
		for _, r := range st.elements {
			fields += len(r.fields)
		}
	}
	e.uint(len(s.all))
	e.uint(elements)
	e.uint(fields)
	for _, st := range s.all {
		e.text(st.name)
		e.uint(int(st.kind)<<1 | bit(st.abstract))
		e.list(st.invariants)
		e.uint(len(st.elements))
		for _, r := range st.elements {
			e.text(r.name)
			e.uint(bit(r.array) | bit(r.choice)<<1 | bit(r.summary)<<2 | bit(r.modifier)<<3)
			e.uint(r.min)
			e.uint(r.max + 1)
			e.uint(number[r.binding])
			e.list(r.invariants)
			e.uint(len(r.fields))
			for _, f := range r.fields {
				e.text(f.name)
				e.uint(place[f.typ])
				e.list(f.targets)
			}
		}
	}
}

func (e *encoder) params(p *params) {
	e.uint(len(p.names))
	for _, name := range p.names {
		e.text(name)
	}
	e.uint(len(p.all))
	for _, one := range p.all {
		e.uint(slices.Index(p.names, one.name) + 1)
		e.text(one.url)
		e.uint(int(one.typ))
		e.text(one.expression)
		e.list(one.targets)
		e.uint(len(one.components))
		for _, c := range one.components {
			e.uint(c.param)
			e.text(c.expression)
		}
	}
	for code := r4.Code(1); code <= r4.Count; code++ {
		e.uint(len(p.byType[code]))
		for _, at := range p.byType[code] {
			e.uint(at)
		}
	}
}

func (e *encoder) compartments(all []compartment) {
	e.uint(len(all))
	for _, c := range all {
		e.uint(int(c.of))
		for code := r4.Code(1); code <= r4.Count; code++ {
			e.list(c.params[code])
		}
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
