package search_test

import (
	"slices"
	"strings"

	"tarn/fhir/r4"
)

// token makes a condition in one of the forms of FHIR R4 section 3.1.1.4.8.
func (g *generator) token(some anyOf, modifier string, x thing) (cond, bool) {
	all := tokens(x)
	if len(all) == 0 {
		return cond{}, false
	}
	t := pick(g, all)
	is := func(form, value string, same func(tok) bool) (cond, bool) {
		kind := "token " + form
		if modifier != "" {
			kind = strings.TrimSpace("token :" + modifier + " " + form)
		}
		kinds := []string{kind}
		if modifier == "" {
			kinds = append(kinds, "token of "+x.of.Name)
		}
		return some(kinds, value, func(x thing) bool { return slices.ContainsFunc(tokens(x), same) })
	}
	switch modifier {
	case "text":
		part := fold(g.start(t.text))
		if part == "" {
			return cond{}, false
		}
		return is("", escape(part), func(t tok) bool { return strings.HasPrefix(fold(t.text), part) })
	case "of-type":
		if len(t.types) == 0 || t.code == "" {
			return cond{}, false
		}
		of := pick(g, t.types)
		if of.system == "" || of.code == "" {
			return cond{}, false
		}
		return is("", escape(of.system)+"|"+escape(of.code)+"|"+escape(t.code), func(o tok) bool {
			return o.code == t.code && slices.ContainsFunc(o.types, func(other tok) bool { return other.system == of.system && other.is(of.code) })
		})
	case "in", "not-in":
		return g.memberOf(is, t)
	case "above", "below":
		return g.treeOf(is, modifier, t)
	}
	if t.code == "" {
		return cond{}, false
	}
	code, system := t.code, t.systemOf()
	if !t.exact && g.flip(20) { // where the case does not matter
		code = strings.ToUpper(code)
	}
	switch {
	case g.flip(40):
		return is("code", escape(code), func(o tok) bool { return o.is(code) })
	case t.system == "":
		if system != "" && g.flip(50) {
			return is("implied|code", escape(system)+"|"+escape(code), func(o tok) bool { return o.from(system) && o.is(code) })
		}
		return is("|code", "|"+escape(code), func(o tok) bool { return o.system == "" && o.is(code) })
	case g.flip(25):
		return is("system|", escape(system)+"|", func(o tok) bool { return o.from(system) })
	}
	return is("system|code", escape(system)+"|"+escape(code), func(o tok) bool { return o.from(system) && o.is(code) })
}

// memberOf makes a condition that asks for the codes of a value set.
func (g *generator) memberOf(is func(form, value string, same func(tok) bool) (cond, bool), t tok) (cond, bool) {
	sets := g.o.valueSets()
	holding := slices.DeleteFunc(slices.Clone(sets), func(s valueSet) bool { return !s.has(t) })
	if len(holding) == 0 {
		return cond{}, false
	}
	if g.flip(90) {
		sets = holding
	}
	set := pick(g, sets)
	return is(set.form, escape(set.url), set.has)
}

// treeOf makes a condition on the codes above or below one of a code system that is stored.
func (g *generator) treeOf(is func(form, value string, same func(tok) bool) (cond, bool), modifier string, t tok) (cond, bool) {
	tree := g.o.codeSystem(t.system)
	if tree == nil || tree.parents[t.code] == nil {
		return cond{}, false
	}
	codes := tree.below(t.code)
	if modifier == "above" {
		codes = tree.above(t.code)
	}
	return is("", escape(t.system)+"|"+escape(t.code), func(o tok) bool {
		return o.system == t.system && slices.ContainsFunc(codes, o.is)
	})
}

// start is the beginning of a text, at least three letters.
func (g *generator) start(s string) string {
	r := []rune(s)
	if len(r) <= 3 {
		return s
	}
	return strings.TrimSpace(string(r[:3+g.rng.IntN(min(len(r)-3, 40))]))
}

func (g *generator) text(some anyOf, modifier string, x thing) (cond, bool) {
	all := strs(x)
	if len(all) == 0 {
		return cond{}, false
	}
	s := pick(g, all)
	has := func(form, value string, same func(string) bool) (cond, bool) {
		return some([]string{"string " + form}, escape(value), func(x thing) bool { return slices.ContainsFunc(strs(x), same) })
	}
	switch modifier {
	case "exact":
		return has(":exact", s, func(o string) bool { return o == s })
	case "contains":
		r := []rune(fold(s))
		if len(r) < 4 {
			return cond{}, false
		}
		from := g.rng.IntN(len(r) - 3)
		part := strings.TrimSpace(string(r[from : from+3]))
		if part == "" {
			return cond{}, false
		}
		return has(":contains", part, func(o string) bool { return strings.Contains(fold(o), part) })
	}
	part := g.start(s)
	if fold(part) == "" {
		return cond{}, false
	}
	if g.flip(30) {
		part = strings.ToUpper(part)
	}
	want := fold(part)
	return has("begins", part, func(o string) bool { return strings.HasPrefix(fold(o), want) })
}

func (g *generator) uri(some anyOf, modifier string, x thing) (cond, bool) {
	s := str(x.v)
	if s == "" {
		return cond{}, false
	}
	url, version := s, ""
	if at := strings.LastIndex(s, "|"); at >= 0 && x.of.Primitive == r4.Canonical {
		url, version = s[:at], s[at+1:]
	}
	bare := func(x thing) string {
		s := str(x.v)
		if at := strings.LastIndex(s, "|"); at >= 0 && x.of.Primitive == r4.Canonical {
			return s[:at]
		}
		return s
	}
	switch {
	case modifier != "":
		if !strings.HasPrefix(url, "http") {
			return cond{}, false
		}
		asked := g.climbed(modifier, url)
		return some([]string{"uri :" + modifier}, escape(asked), func(x thing) bool { return climbs(modifier, bare(x), asked) })
	case version != "" && g.flip(50):
		return some([]string{"uri url|version"}, escape(s), func(x thing) bool { return str(x.v) == s })
	}
	return some([]string{"uri"}, escape(url), func(x thing) bool { return bare(x) == url || str(x.v) == url })
}
