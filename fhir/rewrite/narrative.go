package rewrite

import (
	"bytes"
	"encoding/json"
)

var (
	href = []byte("href")
	src  = []byte("src")
)

// narrative finds the addresses of links and images in XHTML as it stands in a JSON string, escapes and all; at is the
// place of its first byte in the document.
func (f *finder) narrative(raw []byte, at int) {
	for i := 0; i < len(raw); {
		open := bytes.IndexByte(raw[i:], '<')
		if open < 0 {
			return
		}
		i += open + 1
		var want []byte
		switch {
		case bytes.HasPrefix(raw[i:], []byte("!--")):
			end := bytes.Index(raw[i:], []byte("-->"))
			if end < 0 {
				return
			}
			i += end
			continue
		case isTag(raw[i:], "a"):
			want, i = href, i+1
		case isTag(raw[i:], "img"):
			want, i = src, i+3
		default:
			continue
		}
		i = f.attributes(raw, i, at, want)
	}
}

// isTag reports whether a tag of this name begins at raw.
func isTag(raw []byte, name string) bool {
	return len(raw) > len(name) && string(raw[:len(name)]) == name && (isBlank(raw[len(name)]) || raw[len(name)] == '\\')
}

func isBlank(c byte) bool { return c == ' ' || c == '/' }

// attributes goes over the attributes of a tag and takes the address out of the wanted one. It returns the place behind
// the tag.
func (f *finder) attributes(raw []byte, i, at int, want []byte) int {
	for i < len(raw) && raw[i] != '>' {
		start := i
		for i < len(raw) && raw[i] != '=' && raw[i] != '>' {
			i++
		}
		if i >= len(raw) || raw[i] == '>' {
			break
		}
		name := trim(raw[start:i])
		i = skip(raw, i+1)
		quote, n := quoteAt(raw[i:])
		if n == 0 {
			continue
		}
		i += n
		end := bytes.Index(raw[i:], quote)
		if end < 0 {
			return len(raw)
		}
		if bytes.Equal(name, want) {
			f.address(raw[i:i+end], at+i)
		}
		i += end + len(quote)
	}
	return i
}

// quoteAt is the quote that opens a value, in the form that it has in a JSON string.
func quoteAt(raw []byte) (quote []byte, n int) {
	for _, q := range [...]string{`\"`, `'`, `\u0022`, `\u0027`} {
		if bytes.HasPrefix(raw, []byte(q)) {
			return raw[:len(q)], len(q)
		}
	}
	return nil, 0
}

// skip passes over white space, escaped as JSON has it.
func skip(raw []byte, i int) int {
	for i < len(raw) {
		switch {
		case raw[i] == ' ':
			i++
		case raw[i] == '\\' && i+1 < len(raw) && (raw[i+1] == 'n' || raw[i+1] == 't' || raw[i+1] == 'r'):
			i += 2
		default:
			return i
		}
	}
	return i
}

// trim takes white space, escaped as JSON has it, from both ends of an attribute's name.
func trim(name []byte) []byte {
	name = name[skip(name, 0):]
	for {
		switch n := len(name); {
		case n > 0 && (name[n-1] == ' ' || name[n-1] == '/'):
			name = name[:n-1]
		case n > 1 && name[n-2] == '\\' && (name[n-1] == 'n' || name[n-1] == 't' || name[n-1] == 'r'):
			name = name[:n-2]
		default:
			return name
		}
	}
}

// address notes the address raw, which stands at the place at, if it is suspicious.
func (f *finder) address(raw []byte, at int) {
	text := raw
	if bytes.IndexByte(raw, '\\') >= 0 {
		var decoded string
		if json.Unmarshal(append(append([]byte{'"'}, raw...), '"'), &decoded) != nil {
			return
		}
		text = []byte(decoded)
	}
	if bytes.IndexByte(text, '&') >= 0 {
		text = bytes.ReplaceAll(text, []byte("&amp;"), []byte("&"))
	}
	if f.suspect(text) {
		f.links = append(f.links, Link{Kind: Narrative, Start: at, End: at + len(raw), Text: string(text)})
	}
}
