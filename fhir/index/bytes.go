package index

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The first byte of a value says what form it has.
const (
	formPresent    = 0x01 // there is an element, but nothing in it that can be compared
	formToken      = 0x10
	formText       = 0x11 // what a token says to people, for :text
	formOfType     = 0x12 // an identifier behind its type, for :of-type
	formString     = 0x20
	formDate       = 0x30 // and the next three, see date.go
	formPoint      = 0x40 // a number
	formInterval   = 0x41
	formReference  = 0x50
	formOtherURI   = 0x51
	formCanonical  = 0x52
	formBare       = 0x53 // a reference to a contained resource or to none
	formIdentifier = 0x54 // the identifier of a reference
	formURI        = 0x60
	formPosition   = 0x70
	formTuple      = 0x80
)

// sep stands between the parts of a value; no text has it, see appendClean.
const sep = 0x01

// least is the lowest byte of a text: control characters below it become it. FHIR allows none of them.
const least = 0x08

// appendClean appends a text so that no byte of it is below least.
func appendClean[T string | []byte](dst []byte, text T) []byte {
	from := len(dst)
	dst = append(dst, text...)
	for i := from; i < len(dst); i++ {
		if dst[i] < least {
			dst[i] = least
		}
	}
	return dst
}

// appendLower is appendClean in lower case.
func appendLower[T string | []byte](dst []byte, text T) []byte {
	from := len(dst)
	dst = append(dst, text...)
	for i := from; i < len(dst); i++ {
		switch c := dst[i]; {
		case c >= utf8.RuneSelf:
			return appendLowerRunes(dst[:from], string(text))
		case c >= 'A' && c <= 'Z':
			dst[i] = c + 'a' - 'A'
		case c < least:
			dst[i] = least
		}
	}
	return dst
}

func appendLowerRunes(dst []byte, text string) []byte {
	for _, r := range text {
		dst = utf8.AppendRune(dst, unicode.ToLower(max(r, least)))
	}
	return dst
}

// folder folds texts as string search compares them: compatibility decomposition, no marks upon letters, no case, one
// space for white space between words and none around. It keeps its memory and is for one goroutine.
type folder struct{ folded map[rune]string }

// maxFolded bounds the characters that a folder remembers.
const maxFolded = 1 << 12

// fold is what becomes of a character: none, one or several.
func (f *folder) fold(r rune) string {
	if s, ok := f.folded[r]; ok {
		return s
	}
	if f.folded == nil || len(f.folded) >= maxFolded {
		f.folded = map[rune]string{}
	}
	s := cases.Fold().String(strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return max(r, least)
	}, norm.NFKD.String(string(r))))
	f.folded[r] = s
	return s
}

// appendFolded appends the folded text.
func (f *folder) appendFolded(dst, text []byte) []byte {
	from := len(dst)
	space := true // at the beginning none is written
	for _, c := range text {
		switch {
		case c >= utf8.RuneSelf:
			return f.appendFoldedRunes(dst[:from], text)
		case c == ' ' || c >= '\t' && c <= '\r':
			if !space {
				dst = append(dst, ' ')
			}
			space = true
			continue
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c < least:
			c = least
		}
		dst, space = append(dst, c), false
	}
	if n := len(dst); n > from && dst[n-1] == ' ' {
		dst = dst[:n-1]
	}
	return dst
}

func (f *folder) appendFoldedRunes(dst, text []byte) []byte {
	from, space := len(dst), true
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		i += size
		for _, c := range []byte(f.fold(r)) {
			if c != ' ' || !space {
				dst = append(dst, c)
			}
			space = c == ' '
		}
	}
	if n := len(dst); n > from && dst[n-1] == ' ' {
		dst = dst[:n-1]
	}
	return dst
}
