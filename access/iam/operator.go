package iam

import (
	"encoding/base64"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tarn/access"
)

// operator is a condition operator without its prefix and suffix.
type operator struct {
	family  family
	negated bool
	compare compare // of numbers and dates
	fold    bool
	like    bool
}

type family uint8

const (
	ofString family = iota
	ofNumber
	ofDate
	ofBool
	ofBinary
	ofIP
	ofARN
	ofNull
)

type compare uint8

const (
	equal compare = iota
	less
	lessEqual
	greater
	greaterEqual
)

// operators are all operators of the IAM reference ("IAM JSON policy elements: Condition operators").
var operators = map[string]operator{
	"StringEquals":              {},
	"StringNotEquals":           {negated: true},
	"StringEqualsIgnoreCase":    {fold: true},
	"StringNotEqualsIgnoreCase": {fold: true, negated: true},
	"StringLike":                {like: true},
	"StringNotLike":             {like: true, negated: true},
	"NumericEquals":             {family: ofNumber},
	"NumericNotEquals":          {family: ofNumber, negated: true},
	"NumericLessThan":           {family: ofNumber, compare: less},
	"NumericLessThanEquals":     {family: ofNumber, compare: lessEqual},
	"NumericGreaterThan":        {family: ofNumber, compare: greater},
	"NumericGreaterThanEquals":  {family: ofNumber, compare: greaterEqual},
	"DateEquals":                {family: ofDate},
	"DateNotEquals":             {family: ofDate, negated: true},
	"DateLessThan":              {family: ofDate, compare: less},
	"DateLessThanEquals":        {family: ofDate, compare: lessEqual},
	"DateGreaterThan":           {family: ofDate, compare: greater},
	"DateGreaterThanEquals":     {family: ofDate, compare: greaterEqual},
	"Bool":                      {family: ofBool},
	"BinaryEquals":              {family: ofBinary},
	"IpAddress":                 {family: ofIP},
	"NotIpAddress":              {family: ofIP, negated: true},
	"ArnEquals":                 {family: ofARN},
	"ArnLike":                   {family: ofARN},
	"ArnNotEquals":              {family: ofARN, negated: true},
	"ArnNotLike":                {family: ofARN, negated: true},
	"Null":                      {family: ofNull},
}

// operand is one value of a condition, compiled for its operator.
type operand struct {
	pattern pattern // ofString, ofARN
	number  float64 // ofNumber
	when    time.Time
	truth   bool // ofBool, ofNull
	binary  string
	network netip.Prefix
}

// compileOperand reads a policy's value; the problem is empty where it is right.
func compileOperand(op operator, s string, variables bool) (v operand, problem string) {
	var ok bool
	switch op.family {
	case ofString:
		v.pattern, ok = compile(s, dialect{wildcards: op.like, variables: variables, fold: op.fold}), true
	case ofARN:
		v.pattern, ok = compileARN(s, variables), isARNPattern(s, variables) || variables && strings.Contains(s, "${")
		problem = `must be an ARN such as "arn:aws:s3:::bucket", or "*"`
	case ofNumber:
		v.number, ok = parseNumber(s)
		problem = "must be a number"
	case ofDate:
		v.when, ok = parseDate(s)
		problem = `must be a date such as "2026-01-31T08:00:00Z", or seconds since 1970`
	case ofBool, ofNull:
		v.truth, ok = parseBool(s)
		problem = `must be "true" or "false"`
	case ofBinary:
		var raw []byte
		raw, ok = parseBinary(s)
		v.binary = string(raw)
		problem = "must be base64"
	case ofIP:
		v.network, ok = parseNetwork(s)
		problem = `must be an address or a range such as "203.0.113.0/24"`
	}
	if ok {
		problem = ""
	}
	return v, problem
}

// fits compares one value of the request with one of the policy. What cannot be read as the operator's type fits
// nothing.
func (op operator) fits(v *operand, value string, r *access.Request) bool {
	switch op.family {
	case ofString:
		return v.pattern.match(value, r)
	case ofARN:
		return v.pattern.matchARN(value, r)
	case ofNumber:
		n, ok := parseNumber(value)
		return ok && op.holds(compareNumbers(n, v.number))
	case ofDate:
		t, ok := parseDate(value)
		return ok && op.holds(t.Compare(v.when))
	case ofBool:
		b, ok := parseBool(value)
		return ok && b == v.truth
	case ofBinary:
		raw, ok := parseBinary(value)
		return ok && string(raw) == v.binary
	case ofIP:
		addr, err := netip.ParseAddr(value)
		return err == nil && v.network.Contains(addr.Unmap().WithZone(""))
	}
	return false
}

// holds tells whether an order (-1, 0, +1) is the one that the operator asks for.
func (op operator) holds(order int) bool {
	switch op.compare {
	case less:
		return order < 0
	case lessEqual:
		return order <= 0
	case greater:
		return order > 0
	case greaterEqual:
		return order >= 0
	}
	return order == 0
}

func compareNumbers(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func parseNumber(s string) (float64, bool) {
	if strings.ContainsAny(s, "xX_pPnN") { // Go's own extras, Inf and NaN
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && !math.IsInf(n, 0)
}

// parseDate reads the W3C profile of ISO 8601, or seconds since 1970.
func parseDate(s string) (time.Time, bool) {
	if len(s) > 4 {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return time.Unix(n, 0), true
		}
	}
	for _, form := range [...]string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006"} {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func parseBool(s string) (value, ok bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

func parseBinary(s string) ([]byte, bool) {
	raw, err := base64.StdEncoding.DecodeString(s)
	return raw, err == nil
}

func parseNetwork(s string) (netip.Prefix, bool) {
	if !strings.Contains(s, "/") {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, false
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	network, err := netip.ParsePrefix(s)
	return network.Masked(), err == nil
}
