package iam_test

import (
	"errors"
	"strings"
	"testing"

	"tarn/access/iam"
	"tarn/fault"
)

func TestParse_accepts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind iam.Kind
		doc  string
	}{
		"one statement":        {iam.Managed, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`},
		"several":              {iam.RoleInline, `{"Statement":[{"Sid":"A1","Effect":"Allow","Action":["s3:Get*"],"Resource":["arn:aws:s3:::b/*"]},{"Effect":"Deny","NotAction":"iam:*","NotResource":"*"}]}`},
		"old version":          {iam.UserInline, `{"Version":"2008-10-17","Id":"x","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`},
		"conditions":           {iam.Session, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"s3:max-keys":10}}}}`},
		"trust":                {iam.Trust, `{"Statement":{"Effect":"Allow","Principal":{"Service":"healthlake.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"000000000000"},"ArnEquals":{"aws:SourceArn":"arn:aws:healthlake:us-east-1:000000000000:datastore/fhir/*"}}}}`},
		"bucket":               {iam.Bucket, `{"Statement":{"Sid":"any words","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}}`},
		"key":                  {iam.Key, `{"Id":"key-default-1","Statement":{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"kms:*","Resource":"*"}}`},
		"NotPrincipal":         {iam.Bucket, `{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":["000000000000","arn:aws:iam::000000000000:user/a/b"]},"Action":"s3:*","Resource":"arn:aws:s3:::b"}}`},
		"session as principal": {iam.Trust, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::000000000000:assumed-role/r/s","Federated":"x"},"Action":["sts:AssumeRole","sts:TagSession"]}}`},
		"escapes":              {iam.Managed, "{\"Statement\":\r\n\t{\"Effect\":\"\\u0041llow\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::b\\/\\ud83d\\ude00*\"}}"},
		"short ARN with star":  {iam.Managed, `{"Statement":{"Effect":"Allow","Action":"*","Resource":["arn:aws:s3*","arn:aws:iam::*:role/x"]}}`},
		"a role made by AWS": {iam.Managed, `{"Version":"2012-10-17","Statement":[{"Action":["healthlake:*","s3:ListAllMyBuckets","iam:ListRoles"],"Resource":"*","Effect":"Allow"},
			{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"healthlake.amazonaws.com"}}}]}`},
	} {
		if _, err := iam.Parse(c.kind, []byte(c.doc)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// stmt makes a document of one statement with the given elements.
func stmt(elements string) string { return `{"Version":"2012-10-17","Statement":[{` + elements + `}]}` }

func TestParse_saysWhereItIsWrong(t *testing.T) {
	t.Parallel()
	const ok = `"Effect":"Allow","Action":"s3:GetObject","Resource":"*"`
	for _, c := range []struct {
		kind         iam.Kind
		doc          string
		line, column int // 0: not looked at
		problem      string
	}{
		{iam.Trust, `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole" "Principal":"*"}]}`, 1, 58, "expected ',' or '}' after a member, found '\"'"},
		{iam.Trust, "{\"Statement\":[{\"Effect\":\"Allow\",\n  \"Action\":\"sts:AssumeRole\"\n  \"Principal\":\"*\"}]}", 2, 28, "expected ',' or '}' after a member"},
		{iam.Managed, ``, 1, 1, "expected a value, found the end"},
		{iam.Managed, `{"Statement":[`, 1, 15, "expected a value, found the end"},
		{iam.Managed, `{"Statement" []}`, 1, 13, "expected ':' after the name \"Statement\", found '['"},
		{iam.Managed, `{"Statement":[],}`, 1, 17, "expected another member after ','"},
		{iam.Managed, `{"Statement":[1,]}`, 1, 17, "expected another value after ','"},
		{iam.Managed, `{"Statement":[1 2]}`, 1, 16, "expected ',' or ']' after a value, found '2'"},
		{iam.Managed, `{'Statement':[]}`, 1, 2, "expected a name in double quotes, found '\\''"},
		{iam.Managed, `{"é":1,"é":2}`, 1, 8, "duplicate name"},
		{iam.Managed, stmt(ok) + `x`, 1, 0, "expected the end of the document, found 'x'"},
		{iam.Managed, `{"Id":"abc`, 1, 7, "this string is not closed"},
		{iam.Managed, "{\"Id\":\"abc\n\"}", 1, 7, "not closed on its line"},
		{iam.Managed, "{\"Id\":\"a\x01\"}", 1, 9, "control character"},
		{iam.Managed, "{\"Id\":\"a\xff\"}", 1, 9, "invalid UTF-8"},
		{iam.Managed, `{"Id":"\x"}`, 1, 8, "invalid escape"},
		{iam.Managed, `{"Id":"\ud800"}`, 1, 8, "invalid escape"},
		{iam.Managed, `{"Id":"\u00"}`, 1, 8, "invalid escape"},
		{iam.Managed, `{"Id":01}`, 1, 8, "expected ',' or '}'"},
		{iam.Managed, `{"Id":1.}`, 1, 7, "malformed number"},
		{iam.Managed, `{"Id":-}`, 1, 7, "malformed number"},
		{iam.Managed, `{"Id":1e}`, 1, 7, "malformed number"},
		{iam.Managed, `{"Id":nul}`, 1, 7, "expected a value, found 'n'"},
		{iam.Managed, strings.Repeat("[", 100), 1, 18, "nested deeper than 16"},
		{iam.Managed, `[]`, 1, 1, "a policy must be an object, found an array"},
		{iam.Managed, `{"statement":[]}`, 1, 2, `unknown element "statement"; did you mean "Statement"?`},
		{iam.Managed, `{"Statements":[]}`, 1, 2, `did you mean "Statement"?`},
		{iam.Managed, `{"Version":"2012-10-17"}`, 1, 1, "needs a Statement"},
		{iam.Managed, `{"Version":"2012-10-18","Statement":[]}`, 1, 12, `Version must be`},
		{iam.Managed, `{"Version":2012,"Statement":[]}`, 1, 12, `Version must be a string, found a number`},
		{iam.Managed, `{"Id":["x"],"Statement":[]}`, 1, 7, `Id must be a string, found an array`},
		{iam.Managed, `{"Statement":[]}`, 1, 14, "Statement must not be empty"},
		{iam.Managed, `{"Statement":["x"]}`, 1, 15, "a statement must be an object, found a string"},
		{iam.Managed, stmt(`"Action":"*","Resource":"*"`), 0, 0, "needs an Effect"},
		{iam.Managed, stmt(`"Effect":"allow","Action":"*","Resource":"*"`), 0, 0, `Effect must be "Allow" or "Deny"`},
		{iam.Managed, stmt(`"Effect":"Allow","Resource":"*"`), 0, 0, "needs Action or NotAction"},
		{iam.Managed, stmt(`"Effect":"Allow","Action":"*"`), 0, 0, "needs Resource or NotResource"},
		{iam.Managed, stmt(`"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"`), 0, 0, "not both"},
		{iam.Managed, stmt(`"Effect":"Allow","Action":[],"Resource":"*"`), 0, 0, "Action must not be empty"},
		{iam.Managed, stmt(`"Effect":"Allow","Action":"","Resource":"*"`), 0, 0, "Action must not be empty"},
		{iam.Managed, stmt(`"Effect":"Allow","Action":[1],"Resource":"*"`), 0, 0, "Action must be a string, found a number"},
		{iam.Managed, stmt(`"Effect":"Allow","Action":"GetObject","Resource":"*"`), 0, 0, `"GetObject" names no service`},
		{iam.Managed, stmt(`"Effect":"Allow","Action":"s3*:Get","Resource":"*"`), 0, 0, "the service of an action"},
		{iam.Managed, stmt(`"Effect":"Allow","Action":"s3:","Resource":"*"`), 0, 0, "the name of an action"},
		{iam.Managed, stmt(`"Effect":"Allow","Action":"s3:Get Object","Resource":"*"`), 0, 0, "the name of an action"},
		{iam.Managed, stmt(`"Effect":"Allow","Action":"*","Resource":"bucket"`), 0, 0, `a resource is "*" or an ARN`},
		{iam.Managed, stmt(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3"`), 0, 0, `a resource is "*" or an ARN`},
		{iam.Managed, stmt(`"Principal":"*",` + ok), 1, 39, "has no Principal"},
		{iam.Session, stmt(`"NotPrincipal":"*",` + ok), 1, 39, "has no NotPrincipal"},
		{iam.Managed, stmt(`"Sid":"a b",` + ok), 0, 0, "letters and digits"},
		{iam.Managed, `{"Statement":[{"Sid":"A",` + ok + `},{"Sid":"A",` + ok + `}]}`, 0, 0, `two statements have the Sid "A"`},
		{iam.Managed, stmt(`"Action":"s3:GetObject","Effekt":"Allow"`), 0, 0, `unknown element "Effekt"; expected one of`},
		{iam.Trust, stmt(`"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"`), 0, 0, "has no Resource"},
		{iam.Trust, stmt(`"Effect":"Allow","Action":"sts:AssumeRole"`), 0, 0, "needs Principal"},
		{iam.Trust, stmt(`"Effect":"Deny","NotPrincipal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"`), 0, 0, "has no NotPrincipal"},
		{iam.Trust, stmt(`"Effect":"Allow","Principal":"*","Action":"s3:GetObject"`), 0, 0, "begin with sts:"},
		{iam.Trust, stmt(`"Effect":"Allow","Principal":"*","Action":"*"`), 0, 0, "names no service"},
		{iam.Bucket, stmt(`"Effect":"Allow","NotPrincipal":{"AWS":"000000000000"},"Action":"s3:*","Resource":"arn:aws:s3:::b"`), 0, 0, `"Effect": "Deny" only`},
		{iam.Bucket, stmt(`"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"arn:aws:s3:::b"`), 0, 0, "begin with s3:"},
		{iam.Bucket, stmt(`"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"`), 0, 0, "begins with arn:aws:s3:::"},
		{iam.Bucket, stmt(`"Effect":"Allow","Principal":"me","Action":"s3:*","Resource":"arn:aws:s3:::b"`), 0, 0, `expected "*" or an object`},
		{iam.Bucket, stmt(`"Effect":"Allow","Principal":{},"Action":"s3:*","Resource":"arn:aws:s3:::b"`), 0, 0, `expected "*" or an object`},
		{iam.Key, stmt(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/*"},"Action":"kms:*","Resource":"*"`), 0, 0, "takes no wildcards"},
		{iam.Key, stmt(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::0:root"},"Action":"kms:*","Resource":"*"`), 0, 0, "invalid principal"},
		{iam.Key, stmt(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:group/x"},"Action":"kms:*","Resource":"*"`), 0, 0, "invalid principal"},
		{iam.Key, stmt(`"Effect":"Allow","Principal":{"AWS":"alice"},"Action":"kms:*","Resource":"*"`), 0, 0, "invalid principal"},
		{iam.Key, stmt(`"Effect":"Allow","Principal":{"Service":"*"},"Action":"kms:*","Resource":"*"`), 0, 0, "name of a service"},
		{iam.Key, stmt(`"Effect":"Allow","Principal":{"Aws":"*"},"Action":"kms:*","Resource":"*"`), 0, 0, "unknown kind of principal"},
		{iam.Bucket, stmt(`"Effect":"Allow","Principal":{"CanonicalUser":"ab"},"Action":"s3:*","Resource":"arn:aws:s3:::b"`), 0, 0, "CanonicalUser is not offered"},
		{iam.Managed, stmt(ok + `,"Condition":[]`), 0, 0, "Condition must be an object"},
		{iam.Managed, stmt(ok + `,"Condition":{"stringEquals":{"aws:x":"y"}}`), 0, 0, `did you mean "StringEquals"?`},
		{iam.Managed, stmt(ok + `,"Condition":{"Equals":{"aws:x":"y"}}`), 0, 0, "unknown condition operator"},
		{iam.Managed, stmt(ok + `,"Condition":{"NullIfExists":{"aws:x":"true"}}`), 0, 0, "Null takes neither"},
		{iam.Managed, stmt(ok + `,"Condition":{"ForAnyValue:Null":{"aws:x":"true"}}`), 0, 0, "Null takes neither"},
		{iam.Managed, stmt(ok + `,"Condition":{"StringEquals":{}}`), 0, 0, "must be an object such as"},
		{iam.Managed, stmt(ok + `,"Condition":{"StringEquals":{"x":"y"}}`), 0, 0, "a condition key is service:name"},
		{iam.Managed, stmt(ok + `,"Condition":{"StringEquals":{"aws:x":[]}}`), 0, 0, "needs at least one value"},
		{iam.Managed, stmt(ok + `,"Condition":{"StringEquals":{"aws:x":null}}`), 0, 0, "found null"},
		{iam.Managed, stmt(ok + `,"Condition":{"NumericEquals":{"aws:x":"ten"}}`), 0, 0, "must be a number"},
		{iam.Managed, stmt(ok + `,"Condition":{"DateEquals":{"aws:x":"soon"}}`), 0, 0, "must be a date"},
		{iam.Managed, stmt(ok + `,"Condition":{"Bool":{"aws:x":"yes"}}`), 0, 0, `must be "true" or "false"`},
		{iam.Managed, stmt(ok + `,"Condition":{"BinaryEquals":{"aws:x":"%%"}}`), 0, 0, "must be base64"},
		{iam.Managed, stmt(ok + `,"Condition":{"IpAddress":{"aws:x":"10.0.0.0/33"}}`), 0, 0, "must be an address"},
		{iam.Managed, stmt(ok + `,"Condition":{"ArnLike":{"aws:x":"role/x"}}`), 0, 0, "must be an ARN"},
	} {
		_, err := iam.Parse(c.kind, []byte(c.doc))
		var m *iam.Malformed
		if !errors.As(err, &m) || !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v, want a *Malformed that is Invalid", c.doc, err)
			continue
		}
		if c.line > 0 && m.Line != c.line || c.column > 0 && m.Column != c.column || !strings.Contains(m.Problem, c.problem) {
			t.Errorf("%s:\n got %v\nwant line %d, column %d: %s", c.doc, m, c.line, c.column, c.problem)
		}
		if want := m.Error(); fault.Message(err) != want {
			t.Errorf("the message %q is not the place and problem %q", fault.Message(err), want)
		}
	}
}

func TestParse_keepsTheLimits(t *testing.T) {
	t.Parallel()
	resource := func(kind iam.Kind, n int) []byte {
		head, tail := `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::`, `"}}`
		switch kind {
		case iam.Trust:
			head, tail = `{"Statement":{"Effect":"Allow","Principal":{"Federated":"`, `"},"Action":"sts:AssumeRole"}}`
		case iam.Bucket, iam.Key:
			head = `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:s3:::`
		}
		return []byte(head + strings.Repeat("x", n-len(head)-len(tail)) + tail)
	}
	for kind, limit := range map[iam.Kind]int{iam.Managed: 6144, iam.UserInline: 2048, iam.RoleInline: 10240, iam.Session: 2048,
		iam.Trust: 2048, iam.Bucket: 20480, iam.Key: 32768} {
		doc := resource(kind, limit)
		if _, err := iam.Parse(kind, doc); err != nil {
			t.Errorf("%v of %d: %v", kind, limit, err)
		}
		if _, err := iam.Parse(kind, resource(kind, limit+1)); !fault.Is(err, fault.TooLarge) {
			t.Errorf("%v of %d: got %v, want TooLarge", kind, limit+1, err)
		}
		_, err := iam.Parse(kind, append([]byte(" \r\n\t"), doc...))
		if blanks := kind == iam.Bucket || kind == iam.Key; fault.Is(err, fault.TooLarge) != blanks {
			t.Errorf("%v with white space: %v", kind, err)
		}
	}
	if _, err := iam.Parse(iam.Managed, []byte(strings.Repeat(" ", 200_000)+`{}`)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("200,000 blanks: got %v, want TooLarge", err)
	}
	if n := iam.Chars([]byte("a é\n☃\t")); n != 3 {
		t.Errorf("Chars = %d, want 3", n)
	}
}

func TestParseBucket_refusesAnotherBucket(t *testing.T) {
	t.Parallel()
	doc := func(resource string) []byte {
		return []byte(stmt(`"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::mine/*","` + resource + `"]`))
	}
	for resource, ok := range map[string]bool{"arn:aws:s3:::mine": true, "arn:aws:s3:::mine/a/b": true, "arn:aws:s3:::m*": true,
		"arn:aws:s3:::*": true, "arn:aws:s3:::mine2": false, "arn:aws:s3:::other/*": false} {
		if _, err := iam.ParseBucket("mine", doc(resource)); (err == nil) != ok {
			t.Errorf("%s: %v", resource, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(uint8(0), `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::${aws:username, 'x'}/*","Condition":{"ForAllValues:StringLike":{"aws:TagKeys":["a*","${*}"]}}}}`)
	f.Add(uint8(4), `{"Statement":[{"Effect":"Deny","Principal":{"AWS":["*","000000000000"]},"Action":"sts:AssumeRole"}]}`)
	f.Add(uint8(5), "{\"Statement\":[{\"Effect\":\"Deny\",\"NotPrincipal\":{\"Service\":\"a.b\"},\"NotAction\":\"s3:*\",\"NotResource\":\"arn:aws:s3:::\\u00e9?*\"\n}]}")
	f.Fuzz(func(t *testing.T, kind uint8, doc string) {
		k := iam.Kind(kind % 7)
		p, err := iam.Parse(k, []byte(doc))
		if err != nil {
			var m *iam.Malformed
			if errors.As(err, &m) {
				lines := strings.Split(doc, "\n")
				if m.Line < 1 || m.Line > len(lines) || m.Column < 1 || m.Column > len(lines[m.Line-1])+1 {
					t.Fatalf("the place %v is not in the document", m)
				}
			} else if !fault.Is(err, fault.TooLarge) {
				t.Fatalf("%v", err)
			}
			return
		}
		if !isJSON(doc) {
			t.Fatalf("accepted what is no JSON: %q", doc)
		}
		p.Named("n").Evaluate(request("s3:GetObject", "arn:aws:s3:::b/k"))
		p.IsPublic()
	})
}
