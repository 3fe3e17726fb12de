package patch

import (
	"strconv"
	"strings"
)

// The FHIRPath that paths of a patch may use: members, [n], where(), first(), last(), tail(), skip(), take(), single(),
// ofType(), as(), extension(), and in conditions also = != ~ !~ and or, exists(), empty(), not(), count(), startsWith(),
// endsWith(), contains(), $this and literals.

// expression is something that is evaluated on one element.
type expression interface {
	eval(e *editor, on thing) ([]thing, error)
}

type (
	// steps lead from an element to others.
	steps []step
	// step is a member of elements, or a function of a collection.
	step struct {
		member   string // the name of an element, or
		function string // that of a function, or
		index    int    // [n] where both are empty
		argument expression
		text     string // an argument that is a name or a literal
		number   int
	}
	literal struct{ thing }
	logic   struct {
		or          bool
		left, right expression
	}
	comparison struct {
		not, loose  bool
		left, right expression
	}
)

// maxPath bounds a path in bytes, and maxNesting the parentheses in it.
const (
	maxPath    = 4096
	maxNesting = 50
)

// parsePath reads the path of an operation.
func parsePath(text string) (steps, error) {
	if len(text) > maxPath {
		return nil, &syntaxError{maxPath, "the path is too long"}
	}
	p := &pathParser{lexer: lexer{text: text}}
	if err := p.next(); err != nil {
		return nil, err
	}
	s, err := p.path()
	if err == nil && p.tok.kind != tokenEnd {
		err = p.fail("%q is not expected here", p.tok.text)
	}
	return s, err
}

type pathParser struct {
	lexer
	depth int
}

// nest guards the recursion of the parser.
func (p *pathParser) nest() error {
	if p.depth++; p.depth > maxNesting {
		return p.fail("the path nests too deeply")
	}
	return nil
}

// path reads steps: the first without a dot, or a parenthesis around a path, with or without "as TYPE".
func (p *pathParser) path() (steps, error) {
	if err := p.nest(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	var s steps
	var err error
	switch {
	case p.sign("("):
		if err = p.next(); err != nil {
			return nil, err
		}
		if s, err = p.path(); err != nil {
			return nil, err
		}
		if s, err = p.as(s); err == nil {
			err = p.expect(")")
		}
	case p.sign("%") || p.sign("$"):
		sign := p.tok.text
		if err = p.next(); err != nil {
			return nil, err
		}
		if sign == "%" && !p.word("resource") && !p.word("context") || sign == "$" && !p.word("this") {
			return nil, p.fail("there is no %s%s here", sign, p.tok.text)
		}
		s = steps{{function: sign + p.tok.text}}
		err = p.next()
	default:
		s, err = p.step(nil)
	}
	if err != nil {
		return nil, err
	}
	return p.further(s)
}

// further reads what follows the first step.
func (p *pathParser) further(s steps) (steps, error) {
	for {
		switch {
		case p.sign("["):
			if err := p.next(); err != nil {
				return nil, err
			}
			n, err := p.count()
			if err != nil {
				return nil, err
			}
			s = append(s, step{index: n})
			if err := p.expect("]"); err != nil {
				return nil, err
			}
		case p.sign("."):
			err := p.next()
			if err == nil {
				s, err = p.step(s)
			}
			if err != nil {
				return nil, err
			}
		default:
			return s, nil
		}
	}
}

// as reads "as TYPE" where it stands.
func (p *pathParser) as(s steps) (steps, error) {
	if !p.word("as") {
		return s, nil
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	typ, err := p.typeName()
	return append(s, step{function: "as", text: typ}), err
}

func (p *pathParser) count() (int, error) {
	n, err := strconv.Atoi(p.tok.text)
	if p.tok.kind != tokenNumber || err != nil || n > 1<<30 {
		return 0, p.fail("expected a number")
	}
	return n, p.next()
}

func (p *pathParser) typeName() (string, error) {
	if p.tok.kind != tokenIdentifier {
		return "", p.fail("expected the name of a type")
	}
	name := p.tok.text
	if err := p.next(); err != nil {
		return "", err
	}
	if (name == "FHIR" || name == "System") && p.sign(".") {
		if err := p.next(); err != nil {
			return "", err
		}
		return p.typeName()
	}
	return name, nil
}

// step reads a name or a function.
func (p *pathParser) step(s steps) (steps, error) {
	if p.tok.kind != tokenIdentifier {
		if p.tok.kind == tokenEnd {
			return nil, p.fail("expected the name of an element")
		}
		return nil, p.fail("expected the name of an element, found %q", p.tok.text)
	}
	name := p.tok.text
	at := p.tok
	if err := p.next(); err != nil {
		return nil, err
	}
	if !p.sign("(") {
		return append(s, step{member: name}), nil
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	f := step{function: name}
	var err error
	switch name {
	case "first", "last", "tail", "single", "empty", "not", "count", "hasValue":
	case "where":
		f.argument, err = p.or()
	case "exists":
		if !p.sign(")") {
			f.argument, err = p.or()
		}
	case "skip", "take":
		f.number, err = p.count()
	case "ofType", "as":
		f.text, err = p.typeName()
	case "extension", "startsWith", "endsWith", "contains":
		if p.tok.kind != tokenString {
			return nil, p.fail("%s() takes a text in single quotes", name)
		}
		f.text = p.tok.text
		err = p.next()
	case "resolve":
		p.tok = at
		return nil, p.fail("a patch stays within its resource, so that resolve() cannot be used")
	default:
		p.tok = at
		return nil, p.fail("the function %s() is not offered in a patch", clip(name))
	}
	if err == nil {
		err = p.expect(")")
	}
	return append(s, f), err
}

func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "..."
	}
	return s
}

// or, and and compare read a condition.
func (p *pathParser) or() (expression, error) {
	return p.chain("or", func() (expression, error) { return p.chain("and", p.compare) })
}

func (p *pathParser) chain(word string, operand func() (expression, error)) (expression, error) {
	left, err := operand()
	for err == nil && p.word(word) {
		if err = p.next(); err != nil {
			break
		}
		var right expression
		right, err = operand()
		left = logic{or: word == "or", left: left, right: right}
	}
	return left, err
}

func (p *pathParser) compare() (expression, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	c := comparison{left: left}
	switch {
	case p.sign("="):
	case p.sign("!="):
		c.not = true
	case p.sign("~"):
		c.loose = true
	case p.sign("!~"):
		c.not, c.loose = true, true
	default:
		return left, nil
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	c.right, err = p.operand()
	return c, err
}

func (p *pathParser) operand() (expression, error) {
	if err := p.nest(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	t := p.tok
	switch {
	case t.kind == tokenString, t.kind == tokenDate:
		return literal{thing{literal: literalText, text: t.text}}, p.next()
	case t.kind == tokenNumber:
		return literal{thing{literal: literalNumber, text: t.text}}, p.next()
	case p.word("true"), p.word("false"):
		return literal{thing{literal: literalBoolean, text: t.text}}, p.next()
	case p.sign("("):
		if err := p.next(); err != nil {
			return nil, err
		}
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		s, isPath := inner.(steps)
		if isPath {
			if s, err = p.as(s); err != nil {
				return nil, err
			}
		}
		if err := p.expect(")"); err != nil {
			return nil, err
		}
		if isPath {
			return p.further(s)
		}
		if p.sign(".") {
			return nil, p.fail("nothing can follow this parenthesis")
		}
		return inner, nil
	}
	return p.path()
}
