package patch

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// lexer divides a FHIRPath expression into tokens.
type lexer struct {
	text string
	at   int   // behind the current token
	tok  token // the current one
}

type token struct {
	kind  tokenKind
	text  string // of an identifier or literal: decoded; of a sign: itself
	start int
}

type tokenKind uint8

const (
	tokenEnd        tokenKind = iota
	tokenIdentifier           // name, `name`
	tokenString               // 'text'
	tokenNumber               // 1, 2.5
	tokenDate                 // @2020-01-31
	tokenSign                 // . [ ] ( ) , = != ~ !~ %  $
)

// syntaxError is what is wrong in an expression, and where.
type syntaxError struct {
	at   int
	text string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%s, at character %d", e.text, e.at+1) }

func (l *lexer) fail(format string, args ...any) error {
	return &syntaxError{utf8.RuneCountInString(l.text[:l.tok.start]), fmt.Sprintf(format, args...)}
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// next moves to the next token.
func (l *lexer) next() error {
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.at]) >= 0 {
		l.at++
	}
	l.tok = token{start: l.at}
	if l.at == len(l.text) {
		return nil
	}
	rest := l.text[l.at:]
	take := func(kind tokenKind, n int) error {
		l.tok.kind, l.tok.text = kind, rest[:n]
		l.at += n
		return nil
	}
	n := 1
	switch c := rest[0]; {
	case isLetter(c):
		for n < len(rest) && (isLetter(rest[n]) || isDigit(rest[n])) {
			n++
		}
		return take(tokenIdentifier, n)
	case isDigit(c):
		for n < len(rest) && (isDigit(rest[n]) || rest[n] == '.' && n+1 < len(rest) && isDigit(rest[n+1])) {
			n++
		}
		return take(tokenNumber, n)
	case c == '@':
		for n < len(rest) && (isDigit(rest[n]) || strings.IndexByte("-:.+TZ", rest[n]) >= 0) {
			n++
		}
		_ = take(tokenDate, n)
		l.tok.text = strings.TrimPrefix(l.tok.text[1:], "T")
		return nil
	case c == '\'':
		return l.quoted(tokenString, '\'')
	case c == '`':
		return l.quoted(tokenIdentifier, '`')
	case strings.HasPrefix(rest, "!=") || strings.HasPrefix(rest, "!~"):
		return take(tokenSign, 2)
	case strings.IndexByte(".[](),=~%$", c) >= 0:
		return take(tokenSign, 1)
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return l.fail("%q is not expected here", r)
}

// quoted reads a token between quotes, with the escapes of FHIRPath.
func (l *lexer) quoted(kind tokenKind, quote byte) error {
	var b strings.Builder
	for i := l.at + 1; i < len(l.text); i++ {
		c := l.text[i]
		if c == quote {
			l.tok.kind, l.tok.text, l.at = kind, b.String(), i+1
			return nil
		}
		if c != '\\' {
			b.WriteByte(c)
			continue
		}
		if i++; i == len(l.text) {
			break
		}
		switch c = l.text[i]; c {
		case '\'', '"', '`', '\\', '/':
			b.WriteByte(c)
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			var r rune
			if i+4 >= len(l.text) {
				return l.fail("an escape \\u needs four digits")
			}
			if _, err := fmt.Sscanf(l.text[i+1:i+5], "%04x", &r); err != nil {
				return l.fail("an escape \\u needs four digits")
			}
			b.WriteRune(r)
			i += 4
		default:
			return l.fail("a backslash begins no escape of FHIRPath")
		}
	}
	return l.fail("a quoted text is not closed")
}

// sign reports whether the current token is this sign.
func (l *lexer) sign(s string) bool { return l.tok.kind == tokenSign && l.tok.text == s }

// word reports whether the current token is this identifier.
func (l *lexer) word(s string) bool { return l.tok.kind == tokenIdentifier && l.tok.text == s }

// expect passes over a sign that must stand here.
func (l *lexer) expect(s string) error {
	if !l.sign(s) {
		return l.fail("expected %q", s)
	}
	return l.next()
}
