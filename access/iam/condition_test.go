package iam_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tarn/access"
	"tarn/access/iam"
)

// holds evaluates one condition block on a request whose key test:key has the values.
func holds(t *testing.T, operator, policyValues string, values ...string) bool {
	t.Helper()
	p := parse(t, iam.Managed, stmt(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"`+operator+`":{"Test:Key":`+policyValues+`}}`))
	r := request("s3:GetObject", "*")
	if values != nil {
		r.Context.Set("test:KEY", values...)
	}
	return p.Evaluate(r).Allowed()
}

// cases: for each operator a policy value, a value that fits and one that does not (in the positive sense).
var cases = []struct {
	operator, negation string
	policy             string
	fits, misses       []string
}{
	{"StringEquals", "StringNotEquals", `"Red"`, []string{"Red"}, []string{"red", "Redd", "", "R*"}},
	{"StringEquals", "StringNotEquals", `"R*?"`, []string{"R*?"}, []string{"Red"}},
	{"StringEquals", "StringNotEquals", `["Red","Blue"]`, []string{"Red", "Blue"}, []string{"Green"}},
	{"StringEquals", "StringNotEquals", `"${aws:username}"`, []string{"alice"}, []string{"bob", "${aws:username}"}},
	{"StringEquals", "StringNotEquals", `"${aws:PrincipalTag/none}"`, nil, []string{"", "x", "${aws:PrincipalTag/none}"}},
	{"StringEquals", "StringNotEquals", `"x${aws:PrincipalTag/none, 'd'}"`, []string{"xd"}, []string{"x"}},
	{"StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", `"Réd"`, []string{"RÉD", "réd"}, []string{"red"}},
	{"StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", `"${aws:username}"`, []string{"ALICE"}, []string{"bob"}},
	{"StringLike", "StringNotLike", `"R*d?"`, []string{"Rd!", "Redddx", "Rd☃"}, []string{"Rd", "red!", "xRd!"}},
	{"StringLike", "StringNotLike", `"home/${aws:username}/*"`, []string{"home/alice/", "home/alice/x"}, []string{"home/bob/x"}},
	{"StringLike", "StringNotLike", `"*"`, []string{"", "anything"}, nil},
	{"StringLike", "StringNotLike", `"${*}"`, []string{"*"}, []string{"x"}},
	{"NumericEquals", "NumericNotEquals", `10`, []string{"10", "10.0", "1e1"}, []string{"11", "ten", "", "0x0a", "1_0", "NaN"}},
	{"NumericEquals", "NumericNotEquals", `["1","-2.5"]`, []string{"1", "-2.50"}, []string{"2"}},
	{"NumericLessThan", "", `"10"`, []string{"9", "-1"}, []string{"10", "11", "x"}},
	{"NumericLessThanEquals", "", `"10"`, []string{"9", "10"}, []string{"10.1", "x"}},
	{"NumericGreaterThan", "", `"10"`, []string{"11"}, []string{"10", "9", "x", "Inf"}},
	{"NumericGreaterThanEquals", "", `"10"`, []string{"11", "10"}, []string{"9", "x"}},
	{"DateEquals", "DateNotEquals", `"2026-01-31T08:00:00Z"`, []string{"2026-01-31T09:00:00+01:00", "2026-01-31T08:00Z", "1769846400"}, []string{"2026-01-31", "2026", "x"}},
	{"DateEquals", "DateNotEquals", `"2026-01"`, []string{"2026-01-01", "2026-01-01T00:00:00.000Z", "2026"}, []string{"2026-02"}},
	{"DateLessThan", "", `"2026-01-31"`, []string{"2026-01-30T23:59:59Z"}, []string{"2026-01-31T00:00:00Z", "2027"}},
	{"DateLessThanEquals", "", `"2026-01-31"`, []string{"2026-01-31T00:00:00Z"}, []string{"2026-01-31T00:00:01Z"}},
	{"DateGreaterThan", "", `1769846400`, []string{"2026-01-31T08:00:01Z"}, []string{"2026-01-31T08:00:00Z", "soon"}},
	{"DateGreaterThanEquals", "", `1769846400`, []string{"2026-01-31T08:00:00Z"}, []string{"2026-01-31T07:59:59Z"}},
	{"Bool", "", `"true"`, []string{"true", "TRUE"}, []string{"false", "1", ""}},
	{"Bool", "", `false`, []string{"false"}, []string{"true", "x"}},
	{"BinaryEquals", "", `"QmluYXJ5"`, []string{"QmluYXJ5"}, []string{"Qml=", "Binary", "%"}},
	{"IpAddress", "NotIpAddress", `"203.0.113.0/24"`, []string{"203.0.113.7", "::ffff:203.0.113.7"}, []string{"203.0.114.1", "2001:db8::1", "x", ""}},
	{"IpAddress", "NotIpAddress", `["2001:db8::/32","10.0.0.1"]`, []string{"2001:db8::1", "10.0.0.1"}, []string{"10.0.0.2", "2001:db9::1"}},
	{"IpAddress", "NotIpAddress", `"203.0.113.9/24"`, []string{"203.0.113.7"}, []string{"203.0.114.1"}},
	{"ArnEquals", "ArnNotEquals", `"arn:aws:s3:::b"`, []string{"arn:aws:s3:::b"}, []string{"arn:aws:s3:::bb", "b", ""}},
	{"ArnLike", "ArnNotLike", `"arn:aws:healthlake:*:111122223333:datastore/*"`, []string{"arn:aws:healthlake:us-east-1:111122223333:datastore/fhir/a:b"}, []string{"arn:aws:healthlake:us:east:111122223333:datastore/x", "arn:aws:healthlake:us-east-1:1:datastore/x"}},
	{"ArnEquals", "ArnNotEquals", `"arn:aws:iam::1?*:role/${aws:username}"`, []string{"arn:aws:iam::111122223333:role/alice"}, []string{"arn:aws:iam::1:role/alice", "arn:aws:iam::111122223333:role/bob"}},
	{"ArnLike", "ArnNotLike", `"arn:aws:iam::111122223333:*"`, []string{"arn:aws:iam::111122223333:user/a"}, []string{"arn:aws:iam::2:user/111122223333:a"}},
	{"ArnLike", "ArnNotLike", `"*"`, []string{"arn:aws:iam::1:user/a"}, nil},
	{"ArnLike", "ArnNotLike", `"arn:aws:s3*"`, []string{"arn:aws:s3:::b/k"}, []string{"arn:aws:sqs:::b"}},
	{"ArnLike", "ArnNotLike", `["arn:aws:${aws:PrincipalTag/colon}:role/x","arn:aws:x:::${aws:PrincipalTag/colon}"]`, []string{"arn:aws:x:::iam::1"}, []string{"arn:aws:iam::1:role/x"}},
	{"ArnLike", "ArnNotLike", `"arn:aws:iam::1:${aws:PrincipalTag/none}"`, nil, []string{"arn:aws:iam::1:x"}},
}

func TestCondition_everyOperator(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range cases {
		for _, negated := range []bool{false, true} {
			operator := c.operator
			if negated {
				operator = c.negation
			}
			if operator == "" {
				continue
			}
			seen[operator] = true
			check := func(prefix, suffix string, want bool, values ...string) {
				t.Helper()
				if got := holds(t, prefix+operator+suffix, c.policy, values...); got != want {
					t.Errorf("%s%s%s %s on %q: %v", prefix, operator, suffix, c.policy, values, got)
				}
			}
			// Without the key.
			check("", "", negated)
			check("", "IfExists", true)
			check("ForAllValues:", "", true)
			check("ForAnyValue:", "", false)
			check("ForAllValues:", "IfExists", true)
			check("ForAnyValue:", "IfExists", true)
			for _, prefix := range []string{"", "ForAllValues:", "ForAnyValue:"} {
				for _, suffix := range []string{"", "IfExists"} {
					for _, v := range c.fits {
						check(prefix, suffix, !negated, v)
					}
					for _, v := range c.misses {
						check(prefix, suffix, negated, v)
					}
				}
			}
			if len(c.fits) == 0 || len(c.misses) == 0 {
				continue
			}
			// With many values: some fit and some do not.
			mixed := []string{c.fits[0], c.misses[0]}
			check("", "", !negated, mixed...)
			check("ForAllValues:", "", false, mixed...)
			check("ForAnyValue:", "", true, mixed...)
			check("ForAllValues:", "", !negated, c.fits[0], c.fits[len(c.fits)-1])
			check("ForAnyValue:", "", !negated, c.fits[0], c.fits[len(c.fits)-1])
			check("ForAllValues:", "", negated, c.misses[0], c.misses[len(c.misses)-1])
			check("ForAnyValue:", "", negated, c.misses[0], c.misses[len(c.misses)-1])
		}
	}
	if len(seen) != 26 {
		t.Errorf("%d operators are covered, there are 26 and Null", len(seen))
	}
}

func TestCondition_null(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy  string
		values  []string
		present bool
		want    bool
	}{
		{`"true"`, nil, false, true},
		{`true`, []string{"x"}, true, false},
		{`"false"`, nil, false, false},
		{`false`, []string{"x"}, true, true},
		{`false`, []string{""}, true, true}, // empty is there
		{`"true"`, []string{}, true, true},  // no values are not
		{`"false"`, []string{"a", "b"}, true, true},
	} {
		if got := holds(t, "Null", c.policy, c.values...); got != c.want {
			t.Errorf("Null %s on %q: %v", c.policy, c.values, got)
		}
	}
}

func TestCondition_allMustHold(t *testing.T) {
	t.Parallel()
	p := parse(t, iam.Managed, stmt(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{
		"StringEquals":{"a:x":"1","a:y":"2"},"Bool":{"aws:SecureTransport":"true"}}`))
	for mask := range 8 {
		r := request("s3:GetObject", "*")
		for i, key := range []string{"a:x", "a:y", access.KeySecureTransport} {
			if mask&(1<<i) != 0 {
				r.Context.Set(key, []string{"1", "2", "true"}[i])
			}
		}
		if got := p.Evaluate(r).Allowed(); got != (mask == 7) {
			t.Errorf("mask %03b: %v", mask, got)
		}
	}
}

// What the principal and the time say cannot be forged by the context.
func TestCondition_keysOfTheRequestItself(t *testing.T) {
	t.Parallel()
	session := access.SessionOf(access.Role{ARN: "arn:aws:iam::111122223333:role/x/r", Name: "r", ID: "AROA1", Account: "111122223333"}, "s")
	session.TokenIssued = time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)
	session.SourceIdentity = "bob"
	for _, c := range []struct {
		who        access.Principal
		key, value string // value "" means absent
	}{
		{alice, "aws:PrincipalArn", alice.ARN},
		{alice, "aws:PrincipalAccount", "111122223333"},
		{alice, "aws:PrincipalType", "User"},
		{alice, "aws:userid", "AIDAALICE"},
		{alice, "aws:username", "alice"},
		{alice, "aws:PrincipalTag/TEAM", "red"},
		{alice, "aws:PrincipalTag/x", ""},
		{alice, "aws:TokenIssueTime", ""},
		{alice, "aws:CurrentTime", "2026-03-01T12:00:00Z"},
		{alice, "aws:EpochTime", "1772366400"},
		{alice, "aws:ResourceAccount", "111122223333"},
		{alice, "aws:PrincipalIsAWSService", "false"},
		{alice, "aws:SourceIdentity", ""},
		{session, "aws:PrincipalArn", "arn:aws:iam::111122223333:role/x/r"},
		{session, "aws:PrincipalType", "AssumedRole"},
		{session, "aws:userid", "AROA1:s"},
		{session, "aws:username", ""},
		{session, "aws:TokenIssueTime", "2026-03-01T11:00:00Z"},
		{session, "aws:SourceIdentity", "bob"},
		{access.RootOf("111122223333"), "aws:PrincipalArn", "arn:aws:iam::111122223333:root"},
		{access.RootOf("111122223333"), "aws:PrincipalType", "Account"},
		{access.ServiceOf("healthlake.amazonaws.com"), "aws:PrincipalArn", ""},
		{access.ServiceOf("healthlake.amazonaws.com"), "aws:PrincipalServiceName", "healthlake.amazonaws.com"},
		{access.ServiceOf("healthlake.amazonaws.com"), "aws:PrincipalIsAWSService", "true"},
		{access.Principal{}, "aws:userid", "anonymous"},
		{access.Principal{}, "aws:PrincipalArn", ""},
		{access.Principal{}, "aws:PrincipalType", "Anonymous"},
	} {
		r := request("s3:GetObject", "*")
		r.Principal = c.who
		r.Context.Set(c.key, "forged")
		var room [1]string
		got := strings.Join(r.Values(strings.ToLower(c.key), &room), ",")
		if got != c.value {
			t.Errorf("%s of %s: got %q, want %q", c.key, c.who.ARN, got, c.value)
		}
	}
	r := request("s3:GetObject", "*")
	r.Owner = "999999999999"
	var room [1]string
	if v := r.Values("aws:resourceaccount", &room); v[0] != "999999999999" {
		t.Errorf("aws:ResourceAccount is %q", v)
	}
}

// The policies of the HealthLake guide.
func TestEvaluate_trustForOneDataStore(t *testing.T) {
	t.Parallel()
	p := parse(t, iam.Trust, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["healthlake.amazonaws.com"]},
		"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"},
		"ArnEquals":{"aws:SourceArn":"arn:aws:healthlake:us-east-1:111122223333:datastore/fhir/abc"}}}]}`)
	for _, c := range []struct {
		service, account, arn string
		want                  bool
	}{
		{"healthlake.amazonaws.com", "111122223333", "arn:aws:healthlake:us-east-1:111122223333:datastore/fhir/abc", true},
		{"healthlake.amazonaws.com", "111122223333", "arn:aws:healthlake:us-east-1:111122223333:datastore/fhir/abd", false},
		{"healthlake.amazonaws.com", "999999999999", "arn:aws:healthlake:us-east-1:111122223333:datastore/fhir/abc", false},
		{"healthlake.amazonaws.com", "111122223333", "", false},
		{"glue.amazonaws.com", "111122223333", "arn:aws:healthlake:us-east-1:111122223333:datastore/fhir/abc", false},
	} {
		r := &access.Request{Principal: access.ServiceOf(c.service), Action: "sts:AssumeRole", Resource: "arn:aws:iam::111122223333:role/x", Owner: "111122223333"}
		r.Context.Set(access.KeySourceAccount, c.account)
		if c.arn != "" {
			r.Context.Set(access.KeySourceARN, c.arn)
		}
		if got := access.DecideGated(r, access.Grant{}, p).Allowed(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	p := parse(b, iam.Managed, typical)
	for _, c := range []struct{ name, action, resource string }{
		{"allowed by the last", "healthlake:SearchWithGet", "arn:aws:healthlake:us-east-1:111122223333:datastore/fhir/0123456789abcdef0123456789abcdef"},
		{"denied by nothing", "kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/0123"},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := request(c.action, c.resource)
			for i := range 10 {
				r.Context.Set(fmt.Sprintf("aws:key%d", i), "value")
			}
			r.Context.Set(access.KeySecureTransport, "true")
			r.Context.Set(access.KeySourceIP, "10.1.2.3")
			b.ReportAllocs()
			for b.Loop() {
				p.Evaluate(r)
			}
		})
	}
}

const typical = `{"Version":"2012-10-17","Statement":[
	{"Sid":"TLS","Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}},
	{"Sid":"Net","Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","192.168.0.0/16"]}}},
	{"Sid":"Bucket","Effect":"Allow","Action":["s3:ListBucket","s3:GetBucketLocation"],"Resource":"arn:aws:s3:::exports"},
	{"Sid":"Home","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::exports/${aws:username}/*"},
	{"Sid":"Pass","Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"healthlake.amazonaws.com"}}},
	{"Sid":"Lake","Effect":"Allow","Action":["healthlake:Search*","healthlake:Read*","healthlake:Create*"],
	 "Resource":"arn:aws:healthlake:*:111122223333:datastore/fhir/*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}}]}`

func TestEvaluate_doesNotAllocate(t *testing.T) {
	p := parse(t, iam.Managed, typical)
	r := request("s3:PutObject", "arn:aws:s3:::exports/alice/k")
	r.Context.Set(access.KeySecureTransport, "true")
	r.Context.Set(access.KeySourceIP, "10.1.2.3")
	if d := p.Evaluate(r); d.By != "statement Home" {
		t.Fatalf("got %+v", d)
	}
	if n := testing.AllocsPerRun(100, func() { p.Evaluate(r) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
