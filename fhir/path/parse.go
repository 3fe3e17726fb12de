package path

import (
	"slices"
	"strings"

	"tarn/fault"
)

// Parse reads an expression: paths with | between them. The type that a path begins with (Patient.name) is left out. The
// error says which part is beyond the shapes that search parameters have.
func Parse(expression string) ([]Path, error) {
	p := parser{text: expression}
	paths, err := p.union()
	if err == nil && p.space() < len(p.text) {
		err = p.unexpected()
	}
	if err != nil {
		return nil, err
	}
	return paths, nil
}

type parser struct {
	text string
	at   int
}

// space moves to the next byte that is no space.
func (p *parser) space() int {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	return p.at
}

func (p *parser) unexpected() error {
	return fault.Errorf(fault.Invalid, "path.Parse", "the expression %q has something unexpected at %q", p.text, p.text[p.at:])
}

// take reads the token if it is next.
func (p *parser) take(token string) bool {
	if !strings.HasPrefix(p.text[p.space():], token) {
		return false
	}
	p.at += len(token)
	return true
}

// word reads a name.
func (p *parser) word() (string, bool) {
	from := p.space()
	for p.at < len(p.text) && isLetter(p.text[p.at]) {
		p.at++
	}
	return p.text[from:p.at], p.at > from
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// literal reads a string in single quotes.
func (p *parser) literal() (string, bool) {
	if !p.take("'") {
		return "", false
	}
	end := strings.IndexByte(p.text[p.at:], '\'')
	if end < 0 {
		return "", false
	}
	s := p.text[p.at : p.at+end]
	p.at += end + 1
	return s, true
}

func (p *parser) union() ([]Path, error) {
	var all []Path
	for {
		some, err := p.typed()
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if !p.take("|") {
			return all, nil
		}
	}
}

// typed reads what stands between two bars: a chain, and "as" a type behind it, or the one use of "and".
func (p *parser) typed() ([]Path, error) {
	paths, err := p.chain()
	if err != nil {
		return nil, err
	}
	switch {
	case p.take("as "):
		return p.as(paths)
	case p.take("and "):
		again, err := p.chain()
		if err != nil {
			return nil, err
		}
		if len(paths) != 1 || !paths[0].Truth || len(again) != 1 || !slices.Equal(paths[0].Steps, again[0].Steps) ||
			!p.take("!=") || !p.take("false") {
			return nil, p.unexpected()
		}
	}
	return paths, nil
}

func (p *parser) as(paths []Path) ([]Path, error) {
	name, ok := p.word()
	if !ok {
		return nil, p.unexpected()
	}
	for i := range paths {
		if n := len(paths[i].Steps); n > 0 {
			paths[i].Steps[n-1].As = name
		}
	}
	return paths, nil
}

// chain reads steps and functions with dots between them, from a name or from brackets on.
func (p *parser) chain() ([]Path, error) {
	var paths []Path
	switch {
	case p.take("("):
		inner, err := p.union()
		if err != nil {
			return nil, err
		}
		if !p.take(")") {
			return nil, p.unexpected()
		}
		paths = inner
	case p.take("%resource"):
		paths = []Path{{Resource: true}}
	default:
		name, ok := p.word()
		if !ok {
			return nil, p.unexpected()
		}
		paths = []Path{{}}
		if c := name[0]; c < 'A' || c > 'Z' { // else it is the type itself
			paths[0].Steps = []Step{{Name: name}}
		}
		if err := p.index(paths); err != nil {
			return nil, err
		}
	}
	for p.take(".") {
		name, ok := p.word()
		if !ok {
			return nil, p.unexpected()
		}
		if err := p.link(paths, name); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// link appends one name or function to all paths.
func (p *parser) link(paths []Path, name string) error {
	if !p.take("(") {
		for i := range paths {
			paths[i].Steps = append(slices.Clip(paths[i].Steps), Step{Name: name})
		}
		return p.index(paths)
	}
	switch name {
	case "as", "ofType":
		if _, err := p.as(paths); err != nil {
			return err
		}
	case "exists":
		for i := range paths {
			paths[i].Truth = true
		}
	case "where":
		if err := p.where(paths); err != nil {
			return err
		}
	case "extension":
		url, ok := p.literal()
		if !ok {
			return p.unexpected()
		}
		for i := range paths {
			paths[i].Steps = append(slices.Clip(paths[i].Steps), Step{Name: name, Where: Condition{"url", url}})
		}
	default:
		return p.unexpected()
	}
	if !p.take(")") {
		return p.unexpected()
	}
	return nil
}

func (p *parser) where(paths []Path) error {
	if p.take("resolve()") {
		if !p.take("is ") {
			return p.unexpected()
		}
		name, ok := p.word()
		if !ok {
			return p.unexpected()
		}
		for i := range paths {
			paths[i].Target = name
		}
		return nil
	}
	member, ok := p.word()
	if !ok || !p.take("=") {
		return p.unexpected()
	}
	text, ok := p.literal()
	if !ok {
		return p.unexpected()
	}
	for i := range paths {
		n := len(paths[i].Steps)
		if n == 0 {
			return p.unexpected()
		}
		paths[i].Steps[n-1].Where = Condition{member, text}
	}
	return nil
}

// index reads [0] behind a step.
func (p *parser) index(paths []Path) error {
	if !p.take("[") {
		return nil
	}
	if !p.take("0]") {
		return p.unexpected()
	}
	for i := range paths {
		n := len(paths[i].Steps)
		if n == 0 {
			return p.unexpected()
		}
		paths[i].Steps[n-1].First = true
	}
	return nil
}
