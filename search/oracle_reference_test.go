package search_test

import (
	"regexp"
	"slices"
	"strings"

	"tarn/fhir/r4"
)

// pointer is what a reference of a resource says, or a value of a search: a resource, or some other URI.
type pointer struct {
	base, typ, id, version string // of a resource; no base: relative
	url, urlVersion        string // else; of a canonical behind its bar
	canonical              bool
	identifier             *tok
}

// literal is the form of FHIR R4 section 2.3.0.1, its list of types aside.
var literal = regexp.MustCompile(`^(?:(https?://[^/].*)/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})(?:/_history/([A-Za-z0-9.-]{1,64}))?$`)

func pointerOf(text string) pointer {
	if m := literal.FindStringSubmatch(text); m != nil && r4.IsType(m[2]) {
		return pointer{base: m[1], typ: m[2], id: m[3], version: m[4]}
	}
	return pointer{url: text}
}

// pointers are what a reference parameter reads of a thing.
func pointers(x thing) (out []pointer) {
	switch v := x.v.(type) {
	case string:
		p := pointerOf(v)
		if p.typ == "" || p.base != "" {
			p.canonical, p.url = true, v
			if at := strings.LastIndex(v, "|"); at >= 0 {
				p.url, p.urlVersion = v[:at], v[at+1:]
			}
		}
		out = append(out, p)
	case map[string]any:
		if x.of.Name != "Reference" { // a resource that stands here itself
			return []pointer{{typ: str(v["resourceType"]), id: str(v["id"])}}
		}
		p := pointer{}
		if ref := str(v["reference"]); ref != "" && ref[0] != '#' {
			p = pointerOf(ref)
		}
		if i := object(v["identifier"]); str(i["value"]) != "" {
			t := identifier(i)
			p.identifier = &t
		}
		out = append(out, p)
	}
	return out
}

// local reports whether the pointer leads to a resource of this data store.
func (p pointer) local() bool { return p.typ != "" && (p.base == "" || p.base == base) && !p.canonical }

// refs are the local references of a thing as Type/id, and of others the text.
func refs(x thing) (out []string) {
	for _, p := range pointers(x) {
		switch {
		case p.local():
			out = append(out, p.typ+"/"+p.id)
		case p.canonical && p.urlVersion != "":
			out = append(out, p.url+"|"+p.urlVersion)
		case p.url != "":
			out = append(out, p.url)
		}
	}
	return out
}

// reference makes a condition in one of the forms of FHIR R4 section 3.1.1.4.10.
func (g *generator) reference(p *r4.SearchParam, some anyOf, modifier string, x thing) (cond, bool) {
	all := pointers(x)
	if len(all) == 0 {
		return cond{}, false
	}
	from := pick(g, all)
	say := func(form, value string, match func(pointer) bool) (cond, bool) {
		if modifier != "" {
			form = ":" + modifier + " " + form
			if r4.IsType(modifier) {
				form = ":Type" + form[1+len(modifier):]
			}
		}
		return some([]string{"reference " + form}, escape(value), func(x thing) bool { return slices.ContainsFunc(pointers(x), match) })
	}
	switch {
	case modifier == "identifier":
		return g.identified(some, from)
	case modifier == "above" || modifier == "below":
		if !from.canonical {
			return cond{}, false
		}
		return g.hierarchy(say, modifier, from)
	case r4.IsType(modifier) && (from.typ != modifier || from.canonical):
		return cond{}, false
	case strings.HasPrefix(from.url, "#"): // contained: not to be searched for
		return cond{}, false
	case from.canonical:
		whole := from.url + "|" + from.urlVersion
		if from.urlVersion != "" && g.flip(50) {
			return say("url|version", whole, func(o pointer) bool { return o.canonical && o.url+"|"+o.urlVersion == whole })
		}
		return say("url", from.url, func(o pointer) bool { return o.canonical && o.url == from.url })
	case from.typ == "":
		if from.url == "" || strings.Contains(from.url, "?") || !strings.Contains(from.url, ":") {
			return cond{}, false
		}
		return say("uri", from.url, func(o pointer) bool { return o.url == from.url || o.canonical && o.url+"|"+o.urlVersion == from.url })
	}
	within := func(o pointer) bool { return len(p.Targets) == 0 || slices.Contains(p.Targets, o.typ) }
	same := func(o pointer) bool { return o.typ == from.typ && o.id == from.id }
	if !from.local() {
		foreign := from.base + "/" + from.typ + "/" + from.id
		return say("absolute", foreign, func(o pointer) bool { return same(o) && o.base == from.base && !o.canonical })
	}
	local := func(o pointer) bool {
		return o.local() && same(o) || o.canonical && o.url == base+"/"+from.typ+"/"+from.id
	}
	ref := from.typ + "/" + from.id
	switch {
	case modifier != "" && g.flip(50):
		return say("id", from.id, local)
	case modifier != "":
		return say("Type/id", ref, local)
	case from.version != "" && g.flip(70):
		return say("Type/id/_history", ref+"/_history/"+from.version, func(o pointer) bool { return local(o) && (o.canonical || o.version == from.version) })
	case g.flip(25):
		return say("id", from.id, func(o pointer) bool { return o.local() && o.id == from.id && within(o) })
	case g.flip(25):
		return say("absolute local", base+"/"+ref, local)
	}
	return say("Type/id", ref, local)
}

// identified makes a condition on Reference.identifier, whose values are those of tokens.
func (g *generator) identified(some anyOf, from pointer) (cond, bool) {
	if from.identifier == nil {
		return cond{}, false
	}
	t := *from.identifier
	is := func(form, value string, same func(tok) bool) (cond, bool) {
		return some([]string{"reference :identifier " + form}, value, func(x thing) bool {
			return slices.ContainsFunc(pointers(x), func(o pointer) bool { return o.identifier != nil && same(*o.identifier) })
		})
	}
	switch {
	case g.flip(35):
		return is("value", escape(t.code), func(o tok) bool { return o.code == t.code })
	case t.system == "":
		return is("|value", "|"+escape(t.code), func(o tok) bool { return o.system == "" && o.code == t.code })
	case g.flip(30):
		return is("system|", escape(t.system)+"|", func(o tok) bool { return o.system == t.system })
	}
	return is("system|value", escape(t.system)+"|"+escape(t.code), func(o tok) bool { return o.system == t.system && o.code == t.code })
}

// hierarchy makes a condition on what is above or below a canonical URL, or one of its versions.
func (g *generator) hierarchy(say func(form, value string, match func(pointer) bool) (cond, bool), modifier string, from pointer) (cond, bool) {
	if !strings.HasPrefix(from.url, "http") {
		return cond{}, false
	}
	if from.urlVersion != "" && g.flip(50) {
		version := from.urlVersion
		if at := strings.LastIndexByte(version, '.'); modifier == "below" && at > 0 && g.flip(60) {
			version = version[:at]
		} else if modifier == "above" && g.flip(60) {
			version += ".7"
		}
		return say("url|version", from.url+"|"+version, func(o pointer) bool {
			upper, lower := o.urlVersion, version
			if modifier == "below" {
				upper, lower = lower, upper
			}
			return o.canonical && o.url == from.url && upper != "" && (lower == upper || strings.HasPrefix(lower, upper+"."))
		})
	}
	url := g.climbed(modifier, from.url)
	if url == "" {
		return cond{}, false
	}
	return say("url", url, func(o pointer) bool { return o.canonical && climbs(modifier, o.url, url) })
}

// climbed is a URL to ask what is above or below, such that a given one is.
func (g *generator) climbed(modifier, url string) string {
	if modifier == "above" {
		return url + pick(g, []string{"", "/x", "/x/y"})
	}
	if at := strings.LastIndexByte(url, '/'); at > len("https://x") && g.flip(80) {
		return url[:at]
	}
	return url
}

// climbs reports whether a URL is above or below the one that was asked for, by whole segments of the path.
func climbs(modifier, url, asked string) bool {
	upper, lower := url, asked
	if modifier == "below" {
		upper, lower = lower, upper
	}
	if _, host, ok := strings.Cut(upper, "://"); !ok || host == "" {
		return false
	}
	return lower == upper || strings.HasPrefix(lower, strings.TrimSuffix(upper, "/")+"/")
}
