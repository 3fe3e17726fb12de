package invariant

import (
	"strconv"
	"strings"
)

// op is what an expr does.
type op uint8

const (
	opThis     op = iota + 1 // the focus
	opMember                 // name, of a or of the focus
	opCall                   // function name with args, of a or of the focus
	opIndex                  // element args[0] of a
	opVariable               // %name
	opString
	opNumber
	opBoolean
	opEmpty  // {}
	opBinary // name: the operator; a and b
	opType   // name: is or as; text: the type; a
)

// expr is a node of the tree.
type expr struct {
	op     op
	a, b   *expr
	args   []*expr
	name   string
	text   []byte  // of a string, or the name of a type
	number float64 // of a number; 1 for true
	test   matcher // of matches with a constant
	choice bool    // of a member: its name may have a type behind it
	fixed  bool    // the same whatever the focus, and worth to be kept
}

// markFixed finds what does not depend on the focus; constant tells that, fixed that a variable is in it.
func (e *expr) markFixed() (constant, variable bool) {
	switch e.op {
	case opString, opNumber, opBoolean, opEmpty:
		return true, false
	case opVariable:
		return true, true
	case opThis:
		return false, false
	}
	constant = e.a != nil
	for _, part := range append([]*expr{e.a, e.b}, e.args...) {
		if part != nil {
			c, v := part.markFixed()
			constant, variable = constant && c, variable || v
		}
	}
	e.fixed = constant && variable
	return constant, e.fixed
}

// functions are those that eval knows, with the least and most number of arguments.
var functions = map[string][2]int{"exists": {0, 1}, "empty": {0, 0}, "not": {0, 0}, "count": {0, 0}, "all": {1, 1}, "where": {1, 1},
	"select": {1, 1}, "first": {0, 0}, "last": {0, 0}, "tail": {0, 0}, "isDistinct": {0, 0}, "distinct": {0, 0}, "combine": {1, 1}, "union": {1, 1},
	"intersect": {1, 1}, "descendants": {0, 0}, "children": {0, 0}, "hasValue": {0, 0}, "toInteger": {0, 0}, "toString": {0, 0},
	"iif": {2, 3}, "trace": {1, 2}, "substring": {1, 2}, "startsWith": {1, 1}, "endsWith": {1, 1}, "contains": {1, 1},
	"matches": {1, 1}, "resolve": {0, 0}, "is": {1, 1}, "as": {1, 1}, "ofType": {1, 1}, "extension": {1, 1}, "length": {0, 0},
	"allTrue": {0, 0}, "anyTrue": {0, 0}, "single": {0, 0}, "htmlChecks": {0, 0}, "lower": {0, 0}, "upper": {0, 0}, "trim": {0, 0},
	"getValue": {0, 0}, "replaceMatches": {2, 2}}

type token uint8

const (
	end token = iota
	name
	variable
	text
	number
	symbol
)

// parser reads by recursive descent; kind and word are the token at hand. After a failure all else is passed over.
type parser struct {
	text  string
	at    int
	depth int
	kind  token
	word  string
	err   string
}

func (p *parser) fail(why string) {
	if p.err == "" {
		p.err = why
	}
	p.kind, p.at = end, len(p.text)
}

func (p *parser) next() {
	p.read()
	if p.err != "" {
		p.kind = end
	}
}

func (p *parser) read() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	p.kind, p.word = end, ""
	if p.at >= len(p.text) {
		return
	}
	from, c := p.at, p.text[p.at]
	switch {
	case isLetter(c) || c == '$' || c == '%':
		p.at++
		if c == '%' && p.at < len(p.text) && (p.text[p.at] == '`' || p.text[p.at] == '\'') {
			p.kind, p.word = variable, p.quoted()
			return
		}
		for p.at < len(p.text) && (isLetter(p.text[p.at]) || isDigit(p.text[p.at])) {
			p.at++
		}
		p.kind, p.word = name, p.text[from:p.at]
		if c == '%' {
			p.kind, p.word = variable, p.word[1:]
		}
	case c == '`':
		p.kind, p.word = name, p.quoted()
	case c == '\'':
		p.kind, p.word = text, p.quoted()
	case isDigit(c):
		for p.at < len(p.text) && isDigit(p.text[p.at]) {
			p.at++
		}
		if p.at+1 < len(p.text) && p.text[p.at] == '.' && isDigit(p.text[p.at+1]) {
			for p.at++; p.at < len(p.text) && isDigit(p.text[p.at]); p.at++ {
			}
		}
		p.kind, p.word = number, p.text[from:p.at]
	default:
		p.at++
		if two := p.text[from:min(from+2, len(p.text))]; two == "<=" || two == ">=" || two == "!=" || two == "!~" {
			p.at++
		}
		p.kind, p.word = symbol, p.text[from:p.at]
	}
}

// quoted reads what stands between two quotes.
func (p *parser) quoted() string {
	quote := p.text[p.at]
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		if c == quote {
			p.at++
			return b.String()
		}
		if c == '\\' && p.at+1 < len(p.text) {
			p.at++
			switch c = p.text[p.at]; c {
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			case 'f':
				c = '\f'
			}
		}
		b.WriteByte(c)
	}
	p.fail("a quote is not closed")
	return ""
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// take passes over the token if it is this word.
func (p *parser) take(kind token, word string) bool {
	if p.kind != kind || p.word != word {
		return false
	}
	p.next()
	return true
}

// binary reads operators of one precedence, from the left.
func (p *parser) binary(operand func() *expr, kind token, operators ...string) *expr {
	a := operand()
	for p.kind == kind {
		found := false
		for _, o := range operators {
			if p.word == o {
				p.next()
				a = &expr{op: opBinary, name: o, a: a, b: operand()}
				found = true
				break
			}
		}
		if !found {
			break
		}
	}
	return a
}

func (p *parser) implies() *expr {
	if p.depth++; p.depth > 100 {
		p.fail("too many parentheses")
	}
	defer func() { p.depth-- }()
	return p.binary(p.or, name, "implies")
}
func (p *parser) or() *expr         { return p.binary(p.and, name, "or", "xor") }
func (p *parser) and() *expr        { return p.binary(p.membership, name, "and") }
func (p *parser) membership() *expr { return p.binary(p.equality, name, "in", "contains") }
func (p *parser) equality() *expr   { return p.binary(p.order, symbol, "=", "!=", "~", "!~") }
func (p *parser) order() *expr      { return p.binary(p.union, symbol, "<=", ">=", "<", ">") }
func (p *parser) union() *expr      { return p.binary(p.typed, symbol, "|") }

func (p *parser) typed() *expr {
	a := p.sum()
	for p.kind == name && (p.word == "is" || p.word == "as") {
		how := p.word
		p.next()
		a = &expr{op: opType, name: how, a: a, text: p.typeName()}
	}
	return a
}

// typeName reads a type, FHIR.Patient as Patient.
func (p *parser) typeName() []byte {
	word := p.word
	if p.kind != name {
		p.fail("a type is missing")
		return nil
	}
	p.next()
	if (word == "FHIR" || word == "System") && p.take(symbol, ".") {
		return p.typeName()
	}
	return []byte(word)
}

func (p *parser) sum() *expr { return p.binary(p.path, symbol, "+", "-", "&") }

// path reads a term and what follows its points and brackets.
func (p *parser) path() *expr {
	if p.kind == symbol && (p.word == "-" || p.word == "+") {
		negative := p.word == "-"
		p.next()
		e := p.term()
		if e.op != opNumber {
			p.fail("a sign stands before no number")
			return &expr{op: opEmpty}
		}
		if negative {
			e.number = -e.number
		}
		return e
	}
	e := p.term()
	for {
		switch {
		case p.take(symbol, "."):
			if p.kind != name {
				p.fail("a name is missing after the point")
				return e
			}
			e = p.step(e)
		case p.take(symbol, "["):
			e = &expr{op: opIndex, a: e, args: []*expr{p.implies()}}
			if !p.take(symbol, "]") {
				p.fail("a bracket is not closed")
			}
		default:
			return e
		}
	}
}

// step reads a member or a call; of is nil at the front of a path.
func (p *parser) step(of *expr) *expr {
	word := p.word
	p.next()
	if !p.take(symbol, "(") {
		return &expr{op: opMember, a: of, name: word, choice: choices()[word]}
	}
	e := &expr{op: opCall, a: of, name: word}
	arity, known := functions[word]
	if !known {
		p.fail("the function " + word + " is not known")
		return e
	}
	switch {
	case word == "is" || word == "as" || word == "ofType":
		e = &expr{op: opType, name: word, a: of, text: p.typeName()}
		if of == nil {
			e.a = &expr{op: opThis}
		}
		if !p.take(symbol, ")") {
			p.fail("a parenthesis is not closed")
		}
		return e
	case p.take(symbol, ")"):
	default:
		for {
			e.args = append(e.args, p.implies())
			if !p.take(symbol, ",") {
				break
			}
		}
		if !p.take(symbol, ")") {
			p.fail("a parenthesis is not closed")
		}
	}
	if len(e.args) < arity[0] || len(e.args) > arity[1] {
		p.fail("the function " + word + " has the wrong number of arguments")
		return e
	}
	if word == "matches" && e.args[0] != nil && e.args[0].op == opString {
		var err error
		if e.test, err = compileMatch(string(e.args[0].text)); err != nil {
			p.fail("a regular expression is not understood")
		}
	}
	return e
}

func (p *parser) term() *expr {
	switch p.kind {
	case variable:
		e := &expr{op: opVariable, name: p.word}
		switch p.word {
		case "ucum":
			e = &expr{op: opString, text: []byte("http://unitsofmeasure.org")}
		case "sct":
			e = &expr{op: opString, text: []byte("http://snomed.info/sct")}
		case "loinc":
			e = &expr{op: opString, text: []byte("http://loinc.org")}
		case "resource", "rootResource", "context":
		default:
			p.fail("the variable %" + p.word + " is not known")
		}
		p.next()
		return e
	case text:
		e := &expr{op: opString, text: []byte(p.word)}
		p.next()
		return e
	case number:
		n, err := strconv.ParseFloat(p.word, 64)
		if err != nil {
			p.fail("a number is not understood")
		}
		p.next()
		return &expr{op: opNumber, number: n}
	case name:
		switch p.word {
		case "true", "false":
			e := &expr{op: opBoolean}
			if p.word == "true" {
				e.number = 1
			}
			p.next()
			return e
		case "$this":
			p.next()
			return &expr{op: opThis}
		}
		if p.word != "" && p.word[0] >= 'A' && p.word[0] <= 'Z' { // the type at the front of a path: the focus itself
			p.next()
			return &expr{op: opThis}
		}
		return p.step(nil)
	case symbol:
		if p.take(symbol, "(") {
			e := p.implies()
			if !p.take(symbol, ")") {
				p.fail("a parenthesis is not closed")
			}
			return e
		}
		if p.take(symbol, "{") {
			if !p.take(symbol, "}") {
				p.fail("a brace is not closed")
			}
			return &expr{op: opEmpty}
		}
	}
	p.fail("a term is missing")
	return &expr{op: opEmpty}
}
