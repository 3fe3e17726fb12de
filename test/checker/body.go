package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// resource is what the checker understands of a resource's bytes.
type resource struct {
	kind, id, version, updated string
	// sum is the SHA-256 of every byte but white space between tokens, the top-level id, and what a server stamps into
	// meta (versionId, lastUpdated; a meta that holds nothing else counts as absent).
	sum string
}

var errShape = errors.New("it is no JSON object")

// read takes a resource's bytes apart. It knows JSON's syntax and nothing of FHIR but the names of these members.
func read(b []byte) (resource, error) {
	var compact bytes.Buffer
	compact.Grow(len(b))
	if err := json.Compact(&compact, b); err != nil {
		return resource{}, err
	}
	var r resource
	kept := make([]byte, 0, compact.Len())
	err := members(compact.Bytes(), func(name string, whole, value []byte) error {
		switch name {
		case "resourceType":
			if err := text(&r.kind, name, value); err != nil {
				return err
			}
		case "id":
			return text(&r.id, name, value)
		case "meta":
			var err error
			if whole, err = r.meta(value); err != nil || len(whole) == 0 {
				return err
			}
		}
		kept = append(append(kept, whole...), '\n') // no token contains one, so it parts the members
		return nil
	})
	if err != nil {
		return resource{}, err
	}
	sum := sha256.Sum256(kept)
	r.sum = hex.EncodeToString(sum[:])
	return r, nil
}

// text reads a member that must be a string and come once.
func text(to *string, name string, value []byte) error {
	if *to != "" {
		return fmt.Errorf("it has two members %q", name)
	}
	return json.Unmarshal(value, to)
}

// meta takes the stamps out of meta and gives the rest.
func (r *resource) meta(value []byte) (rest []byte, err error) {
	err = members(value, func(name string, whole, value []byte) error {
		switch name {
		case "versionId":
			return text(&r.version, name, value)
		case "lastUpdated":
			return text(&r.updated, name, value)
		}
		rest = append(append(rest, ','), whole...)
		return nil
	})
	if len(rest) > 0 {
		rest = append([]byte(`"meta":`), rest...)
	}
	return rest, err
}

// members calls f with each member of a compact object: its name, all of it, and its value.
func members(b []byte, f func(name string, whole, value []byte) error) error {
	if len(b) < 2 || b[0] != '{' {
		return errShape
	}
	for b = b[1:]; b[0] != '}'; {
		colon := end(b) // of the name, which is a string
		var name string
		if err := json.Unmarshal(b[:colon], &name); err != nil {
			return err
		}
		stop := colon + 1 + end(b[colon+1:])
		if err := f(name, b[:stop], b[colon+1:stop]); err != nil {
			return err
		}
		if b = b[stop:]; b[0] == ',' {
			b = b[1:]
		}
	}
	return nil
}

// end is where the first value of valid compact JSON ends.
func end(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i // a number or a name behind which its object or array ends
			}
			depth--
		case ',', ':':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue // of a number, true, false, null
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(b)
}
