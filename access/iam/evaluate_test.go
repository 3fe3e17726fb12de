package iam_test

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tarn/access"
	"tarn/access/iam"
)

func isJSON(doc string) bool { return jsontext.Value(doc).IsValid() }

var alice = access.Principal{Kind: access.User, Account: "111122223333", ARN: "arn:aws:iam::111122223333:user/eu/alice",
	UserID: "AIDAALICE", UserName: "alice", Tags: map[string]string{"Team": "red", "star": "a*", "colon": "iam::1"}}

func request(action, resource string) *access.Request {
	return &access.Request{Principal: alice, Action: action, Resource: resource, When: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

func parse(t testing.TB, kind iam.Kind, doc string) *iam.Policy {
	t.Helper()
	p, err := iam.Parse(kind, []byte(doc))
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return p
}

func TestEvaluate_actions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, action string
		want            bool
	}{
		{"*", "s3:GetObject", true},
		{"s3:*", "s3:GetObject", true},
		{"s3:*", "s3-x:GetObject", false},
		{"S3:getOBJECT", "s3:GetObject", true},
		{"s3:Get*", "s3:GETOBJECT", true},
		{"s3:*Object", "s3:GetObject", true},
		{"s3:*Object", "s3:GetObjectAcl", false},
		{"s3:Get?bject", "s3:GetObject", true},
		{"s3:Get?bject", "s3:Getbject", false},
		{"s3:G*t*j*t", "s3:GetObject", true},
		{"s3:GetObject", "s3:GetObjectAcl", false},
		{"s3:GetObjectAcl", "s3:GetObject", false},
		{"healthlake:Start*Job*", "healthlake:StartFHIRExportJobWithPost", true},
	} {
		p := parse(t, iam.Managed, stmt(`"Effect":"Allow","Action":"`+c.pattern+`","Resource":"*"`))
		if got := p.Evaluate(request(c.action, "*")).Allowed(); got != c.want {
			t.Errorf("%s on %s: %v", c.pattern, c.action, got)
		}
		p = parse(t, iam.Managed, stmt(`"Effect":"Allow","NotAction":"`+c.pattern+`","Resource":"*"`))
		if got := p.Evaluate(request(c.action, "*")).Allowed(); got == c.want {
			t.Errorf("NotAction %s on %s: %v", c.pattern, c.action, got)
		}
	}
}

func TestEvaluate_resources(t *testing.T) {
	t.Parallel()
	const hl = "arn:aws:healthlake:us-east-1:111122223333:datastore/fhir/abc"
	for _, c := range []struct {
		pattern, resource string
		want              bool
	}{
		{"*", hl, true},
		{"*", "*", true},
		{"arn:aws:s3:::*", "*", false},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b/k", true},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b", false},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::B/k", false},
		{"arn:aws:s3:::b/*z", "arn:aws:s3:::b/a:b/z", true},
		{"arn:aws:s3:::b/?", "arn:aws:s3:::b/é", true},
		{"arn:aws:s3:::b/??", "arn:aws:s3:::b/é", false},
		{"arn:aws:s3:::b/a*é*c", "arn:aws:s3:::b/axéyéc", true},
		{"arn:aws:healthlake:us-*-1:111122223333:datastore/fhir/abc", hl, true},
		{"arn:aws:healthlake:*:111122223333:datastore/*", hl, true},
		{"arn:aws:healthlake:*", hl, true},
		{"arn:aws:*:datastore/fhir/abc", hl, true}, // at a segment's end a star goes beyond it
		{"arn:aws:health*e:us-east-1:111122223333:*", hl, true},
		{"arn:aws:h*3:datastore/fhir/abc:*", hl, false}, // within a segment it does not
		{"arn:aws:h*3:*:*:*", hl, false},
		{"arn:aws:health?ake:us-east-1:*:datastore/fhir/???", hl, true},
		{"arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::alice/k", true},
		{"arn:aws:s3:::${AWS:UserName}/*", "arn:aws:s3:::bob/k", false},
		{"arn:aws:s3:::b/${aws:PrincipalTag/team}/*", "arn:aws:s3:::b/red/k", true},
		{"arn:aws:s3:::b/${aws:PrincipalTag/star}", "arn:aws:s3:::b/a*", true},
		{"arn:aws:s3:::b/${aws:PrincipalTag/star}", "arn:aws:s3:::b/ab", false},
		{"arn:aws:s3:::b/${aws:PrincipalTag/none}", "arn:aws:s3:::b/", false},
		{"arn:aws:s3:::b/${aws:PrincipalTag/none, 'all'}/*", "arn:aws:s3:::b/all/k", true},
		{"arn:aws:s3:::b/${aws:PrincipalTag/team,'all'}/*", "arn:aws:s3:::b/all/k", false},
		{"arn:aws:s3:::b/${aws:PrincipalTag/none, 'a}b'}", "arn:aws:s3:::b/a}b", true},
		{"arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", true},
		{"arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", false},
		{"arn:aws:s3:::b/${?}x*", "arn:aws:s3:::b/?xy", true},
		{"arn:aws:s3:::b/${?}x*", "arn:aws:s3:::b/yxy", false},
		{"arn:aws:s3:::b/${$}{x}", "arn:aws:s3:::b/${x}", true},
		{"arn:aws:s3:::b/${broken", "arn:aws:s3:::b/${broken", true},
		{"arn:aws:s3:::b/${aws:username}${aws:username}", "arn:aws:s3:::b/alicealice", true},
	} {
		p := parse(t, iam.Managed, stmt(`"Effect":"Allow","Action":"*","Resource":"`+c.pattern+`"`))
		if got := p.Evaluate(request("s3:GetObject", c.resource)).Allowed(); got != c.want {
			t.Errorf("%s on %s: %v", c.pattern, c.resource, got)
		}
		p = parse(t, iam.Managed, stmt(`"Effect":"Deny","Action":"*","NotResource":"`+c.pattern+`"`))
		if got := p.Evaluate(request("s3:GetObject", c.resource)).Effect == access.ImplicitDeny; got != c.want {
			t.Errorf("NotResource %s on %s: %v", c.pattern, c.resource, got)
		}
	}
	old := parse(t, iam.Managed, `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}"}}`)
	if old.Evaluate(request("s3:GetObject", "arn:aws:s3:::alice")).Allowed() || !old.Evaluate(request("s3:GetObject", "arn:aws:s3:::${aws:username}")).Allowed() {
		t.Error("version 2008-10-17 knows no variables")
	}
}

// A variable that has no value, or several, closes rather than opens.
func TestEvaluate_unresolvedVariables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		effect, element string
		want            access.Effect
	}{
		{"Allow", "Resource", access.ImplicitDeny},
		{"Allow", "NotResource", access.ImplicitDeny},
		{"Deny", "Resource", access.ImplicitDeny},
		{"Deny", "NotResource", access.ExplicitDeny},
	} {
		for _, key := range []string{"aws:PrincipalTag/none", "t:many"} {
			p := parse(t, iam.Managed, stmt(`"Effect":"`+c.effect+`","Action":"*","`+c.element+`":["arn:aws:s3:::b/${`+key+`}","arn:aws:s3:::other"]`))
			r := request("s3:GetObject", "arn:aws:s3:::b/x")
			r.Context.Set("t:many", "x", "y")
			if d := p.Evaluate(r); d.Effect != c.want {
				t.Errorf("%s %s with %s: %v", c.effect, c.element, key, d.Effect)
			}
		}
	}
}

func TestEvaluate_denyWinsAndSaysWho(t *testing.T) {
	t.Parallel()
	p := parse(t, iam.Managed, `{"Statement":[
		{"Sid":"All","Effect":"Allow","Action":"s3:*","Resource":"*"},
		{"Sid":"NoDelete","Effect":"Deny","Action":"s3:Delete*","Resource":"*"},
		{"Effect":"Deny","Action":"s3:PutObject","Resource":"arn:aws:s3:::locked/*"}]}`).Named("Store")
	for _, c := range []struct {
		action, resource, by string
		want                 access.Effect
	}{
		{"s3:GetObject", "arn:aws:s3:::b/k", "policy Store, statement All", access.Allow},
		{"s3:DeleteObject", "arn:aws:s3:::b/k", "policy Store, statement NoDelete", access.ExplicitDeny},
		{"s3:PutObject", "arn:aws:s3:::locked/k", "policy Store, statement 3", access.ExplicitDeny},
		{"kms:Decrypt", "*", "", access.ImplicitDeny},
	} {
		if d := p.Evaluate(request(c.action, c.resource)); d.Effect != c.want || d.By != c.by {
			t.Errorf("%s: %v by %q", c.action, d.Effect, d.By)
		}
	}
}

func TestEvaluate_principals(t *testing.T) {
	t.Parallel()
	role := access.Role{ARN: "arn:aws:iam::111122223333:role/x/exporter", Name: "exporter", ID: "AROA1", Account: "111122223333"}
	who := map[string]access.Principal{
		"alice": alice, "root": access.RootOf("111122223333"), "session": access.SessionOf(role, "s1"),
		"service": access.ServiceOf("healthlake.amazonaws.com"), "nobody": {}, "stranger": access.RootOf("999999999999"),
	}
	const none, account, byRole, self = access.ReachNone, access.ReachAccount, access.ReachRole, access.ReachSelf
	for _, c := range []struct {
		principal string
		want      map[string]access.Reach
	}{
		{`"*"`, map[string]access.Reach{"alice": self, "root": self, "session": self, "service": self, "nobody": self, "stranger": self}},
		{`{"AWS":"*"}`, map[string]access.Reach{"alice": self, "root": self, "session": self, "service": self, "nobody": self, "stranger": self}},
		{`{"AWS":"111122223333"}`, map[string]access.Reach{"alice": account, "root": account, "session": account}},
		{`{"AWS":"arn:aws:iam::111122223333:root"}`, map[string]access.Reach{"alice": account, "root": account, "session": account}},
		{`{"AWS":"arn:aws:iam::111122223333:user/eu/alice"}`, map[string]access.Reach{"alice": self}},
		{`{"AWS":"arn:aws:iam::111122223333:user/alice"}`, nil},
		{`{"AWS":"arn:aws:iam::111122223333:role/x/exporter"}`, map[string]access.Reach{"session": byRole}},
		{`{"AWS":"arn:aws:sts::111122223333:assumed-role/exporter/s1"}`, map[string]access.Reach{"session": self}},
		{`{"AWS":"arn:aws:sts::111122223333:assumed-role/exporter/s2"}`, nil},
		{`{"Service":"healthlake.amazonaws.com"}`, map[string]access.Reach{"service": self}},
		{`{"Service":["s3.amazonaws.com"],"AWS":["999999999999","arn:aws:iam::111122223333:user/eu/alice","111122223333"]}`,
			map[string]access.Reach{"alice": self, "root": account, "session": account, "stranger": account}},
		{`{"Federated":"arn:aws:iam::111122223333:saml-provider/x"}`, nil},
	} {
		p := parse(t, iam.Bucket, stmt(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b","Principal":`+c.principal))
		for name, principal := range who {
			r := request("s3:ListBucket", "arn:aws:s3:::b")
			r.Principal = principal
			d := p.Evaluate(r)
			if d.Reach != c.want[name] || d.Allowed() != (c.want[name] != none) {
				t.Errorf("%s on %s: %+v", c.principal, name, d)
			}
		}
	}
	for _, c := range []struct {
		not    string
		spared []string
	}{
		{`{"AWS":"arn:aws:iam::111122223333:user/eu/alice"}`, nil},
		{`{"AWS":["arn:aws:iam::111122223333:user/eu/alice","111122223333"]}`, []string{"alice", "root"}},
		{`{"AWS":["arn:aws:iam::111122223333:role/x/exporter","111122223333"]}`, []string{"root"}},
		{`{"AWS":["arn:aws:iam::111122223333:role/x/exporter","111122223333","arn:aws:sts::111122223333:assumed-role/exporter/s1"]}`, []string{"root", "session"}},
		{`{"AWS":"arn:aws:sts::111122223333:assumed-role/exporter/s1"}`, nil},
		{`{"AWS":["arn:aws:sts::111122223333:assumed-role/exporter/s1","arn:aws:iam::111122223333:role/x/exporter"]}`, nil},
		{`{"AWS":["arn:aws:sts::111122223333:assumed-role/exporter/s1","111122223333"]}`, []string{"root"}},
		{`{"Service":"healthlake.amazonaws.com"}`, []string{"service"}},
	} {
		p := parse(t, iam.Bucket, stmt(`"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::b","NotPrincipal":`+c.not))
		for name, principal := range who {
			spared := false
			for _, s := range c.spared {
				spared = spared || s == name
			}
			r := request("s3:ListBucket", "arn:aws:s3:::b")
			r.Principal = principal
			if d := p.Evaluate(r); (d.Effect == access.ImplicitDeny) != spared {
				t.Errorf("NotPrincipal %s on %s: %v", c.not, name, d.Effect)
			}
		}
	}
}

// The statement that names more directly counts, whatever the order.
func TestEvaluate_takesTheFarthestReach(t *testing.T) {
	t.Parallel()
	account := `{"Sid":"account","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}`
	self := `{"Sid":"self","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/eu/alice"},"Action":"kms:*","Resource":"*"}`
	for _, doc := range []string{account + "," + self, self + "," + account} {
		d := parse(t, iam.Key, `{"Statement":[`+doc+`]}`).Evaluate(request("kms:Decrypt", "*"))
		if d.Reach != access.ReachSelf || d.By != "statement self" {
			t.Errorf("got %+v", d)
		}
	}
}

func TestIsPublic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		elements string
		want     bool
	}{
		{`"Principal":"*"`, true},
		{`"Principal":{"AWS":"*"}`, true},
		{`"Principal":{"AWS":"111122223333"}`, false},
		{`"Principal":"*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}`, false},
		{`"Principal":"*","Condition":{"StringLike":{"aws:SourceAccount":"1*"}}`, true},
		{`"Principal":"*","Condition":{"StringEqualsIfExists":{"aws:SourceAccount":"111122223333"}}`, true},
		{`"Principal":"*","Condition":{"ForAllValues:StringEquals":{"aws:SourceAccount":"111122223333"}}`, true},
		{`"Principal":"*","Condition":{"StringNotEquals":{"aws:SourceAccount":"111122223333"}}`, true},
		{`"Principal":"*","Condition":{"StringEquals":{"s3:prefix":"x"}}`, true},
		{`"Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, false},
		{`"Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}`, true},
		{`"Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","::/0"]}}`, true},
		{`"Principal":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b"}}`, false},
		{`"Principal":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b*"}}`, true},
		{`"Principal":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::${aws:username}"}}`, true},
		{`"Principal":"*","Condition":{"Null":{"aws:SourceArn":"false"}}`, true},
	} {
		p := parse(t, iam.Bucket, stmt(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b",`+c.elements))
		if p.IsPublic() != c.want {
			t.Errorf("%s: public is %v", c.elements, !c.want)
		}
		deny := parse(t, iam.Bucket, stmt(`"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b",`+c.elements))
		if deny.IsPublic() {
			t.Errorf("a denial is never public: %s", c.elements)
		}
	}
}
