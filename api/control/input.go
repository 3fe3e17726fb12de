package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"tarn/api/edge"
	"tarn/fault"
)

// input is a structure of the right JSON types: only members that the model knows and that are not null.
type input map[string]any

// parse reads a body. JSON that is none, and values of a wrong JSON type, are SerializationException; what breaks the
// model's constraints is one ValidationException that tells all of it. Unknown members are ignored.
func parse(body []byte, s *shape) (input, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var raw any
	err := dec.Decode(&raw)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("text after the object")
		}
	}
	if err != nil {
		return nil, serialization("The body is not a JSON object")
	}
	value, err := typed(raw, s, "the body")
	if err != nil {
		return nil, err
	}
	var v violations
	s.check(&v, "", value)
	if len(v) > 0 {
		return nil, fault.Errorf(fault.Invalid, "control", "%s", v.String())
	}
	return value.(input), nil
}

func serialization(format string, args ...any) error {
	return edge.WithCode("SerializationException", fault.Errorf(fault.Invalid, "control", format, args...))
}

// typed turns raw JSON into the types of a shape.
func typed(raw any, s *shape, where string) (any, error) {
	switch s.kind {
	case structure, union:
		given, ok := raw.(map[string]any)
		if !ok {
			return nil, wrongType(where, "a JSON object", raw)
		}
		in := input{}
		for _, m := range s.members {
			raw := given[m.name]
			if raw == nil {
				continue
			}
			value, err := typed(raw, m.shape, m.name)
			if err != nil {
				return nil, err
			}
			in[m.name] = value
		}
		return in, nil
	case list:
		given, ok := raw.([]any)
		if !ok {
			return nil, wrongType(where, "a list", raw)
		}
		items := make([]any, len(given))
		for i, raw := range given {
			if raw == nil {
				continue
			}
			item, err := typed(raw, s.item, fmt.Sprintf("item %d of %s", i+1, where))
			if err != nil {
				return nil, err
			}
			items[i] = item
		}
		return items, nil
	case text:
		if v, ok := raw.(string); ok {
			return v, nil
		}
		return nil, wrongType(where, "a string", raw)
	case boolean:
		if v, ok := raw.(bool); ok {
			return v, nil
		}
		return nil, wrongType(where, "true or false", raw)
	}
	n, ok := raw.(json.Number)
	if !ok {
		return nil, wrongType(where, "a number", raw)
	}
	if s.kind == timestamp {
		return instant(n, where)
	}
	if i, err := strconv.ParseInt(n.String(), 10, 32); err == nil {
		return int(i), nil
	}
	return nil, serialization("%s is not a whole number of 32 bits", where)
}

func wrongType(where, want string, raw any) error {
	got := "null"
	switch raw.(type) {
	case map[string]any:
		got = "an object"
	case []any:
		got = "a list"
	case string:
		got = "a string"
	case bool:
		got = "a boolean"
	case json.Number:
		got = "a number"
	}
	return serialization("%s must be %s, not %s", where, want, got)
}

// instant reads epoch seconds with a fraction; what is below a millisecond is kept to the nanosecond.
func instant(n json.Number, where string) (time.Time, error) {
	const first, last = -62135596800, 253402300799 // years 1 to 9999
	// The usual form is read exactly; a float has only microseconds today.
	whole, fraction, _ := strings.Cut(n.String(), ".")
	if sec, err := strconv.ParseInt(whole, 10, 64); err == nil && len(fraction) <= 9 && sec >= first && sec < last {
		if nano, err := strconv.ParseUint((fraction + "000000000")[:9], 10, 32); err == nil {
			if strings.HasPrefix(whole, "-") {
				return time.Unix(sec, -int64(nano)).UTC(), nil
			}
			return time.Unix(sec, int64(nano)).UTC(), nil
		}
	}
	f, err := n.Float64()
	if err != nil || f < first || f >= last {
		return time.Time{}, serialization("%s is not a time in seconds since 1970", where)
	}
	sec, part := math.Modf(f)
	return time.Unix(int64(sec), int64(part*1e9)).UTC(), nil
}

// text is a text member, empty where it is absent.
func (in input) text(name string) string { s, _ := in[name].(string); return s }

// number is an integer member, 0 where it is absent.
func (in input) number(name string) int { n, _ := in[name].(int); return n }

// truth is a boolean member, false where it is absent.
func (in input) truth(name string) bool { b, _ := in[name].(bool); return b }

// when is a timestamp member, zero where it is absent.
func (in input) when(name string) time.Time { t, _ := in[name].(time.Time); return t }

// object is a structure member, empty where it is absent.
func (in input) object(name string) input { o, _ := in[name].(input); return o }

// tags is a TagList; a key that stands twice is fault.Invalid.
func (in input) tags(name string) (map[string]string, error) {
	items, _ := in[name].([]any)
	tags := make(map[string]string, len(items))
	for _, item := range items {
		tag := item.(input)
		if _, twice := tags[tag.text("Key")]; twice {
			return nil, fault.Errorf(fault.Invalid, "control", "The tag key %s is given twice.", quote(tag.text("Key")))
		}
		tags[tag.text("Key")] = tag.text("Value")
	}
	return tags, nil
}

// texts is a list of texts.
func (in input) texts(name string) []string {
	items, _ := in[name].([]any)
	all := make([]string, len(items))
	for i, item := range items {
		all[i] = item.(string)
	}
	return all
}
