package localcloud_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"tarn/access/sigv4"
)

// post sends a form to a query API as no SDK would make it.
func (s *rights) post(c aws.Credentials, service string, form url.Values) (status int, body string) {
	s.t.Helper()
	text := form.Encode()
	r := got(http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/", strings.NewReader(text)))(s.t)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(text))
	sigv4.Sign(r, sigv4.Credentials{AccessKeyID: c.AccessKeyID, Secret: c.SecretAccessKey, Token: c.SessionToken}, service, "us-east-1", hex.EncodeToString(sum[:]), time.Now())
	answer := got(http.DefaultClient.Do(r))(s.t)
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode, string(got(io.ReadAll(answer.Body))(s.t))
}

// The administrator of a team may give rights only to users who are bounded, may detach only one policy, and may use
// only the tag key team. A parameter that an action does not take must not make it seem so.
func TestIAM_parametersOfOtherActionsForgeNoConditions(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	ctx, root := t.Context(), s.iam(s.root)
	all := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	bound := got(root.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("bound"), PolicyDocument: &all}))(t).Policy.Arn
	eve := s.user("eve", fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
	 {"Effect":"Allow","Action":["iam:CreateUser","iam:PutUserPolicy"],"Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":%q}}},
	 {"Effect":"Allow","Action":"iam:DeleteUser","Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":%q}}},
	 {"Effect":"Allow","Action":"iam:TagUser","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"team"}}},
	 {"Effect":"Allow","Action":"iam:UpdateUser","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"a"}}}]}`, *bound, *bound))
	got(root.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("free")}))(t)
	got(s.iam(eve).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("bounded"), PermissionsBoundary: bound}))(t)
	got(s.iam(eve).PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("bounded"), PolicyName: aws.String("p"), PolicyDocument: &all}))(t)
	got(s.iam(eve).TagUser(ctx, &iam.TagUserInput{UserName: aws.String("free"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}}))(t)
	for name, form := range map[string]url.Values{
		"a boundary that the user does not have": {"Action": {"PutUserPolicy"}, "UserName": {"free"}, "PolicyName": {"p"}, "PolicyDocument": {all}, "PermissionsBoundary": {*bound}},
		"a policy that is not attached here":     {"Action": {"DeleteUser"}, "UserName": {"free"}, "PolicyArn": {*bound}},
		"tag keys that are not set": {"Action": {"TagUser"}, "UserName": {"free"}, "Tags.member.1.Key": {"admin"}, "Tags.member.1.Value": {"yes"},
			"TagKeys.member.1": {"team"}},
		"tags that are not given": {"Action": {"UpdateUser"}, "UserName": {"free"}, "NewUserName": {"other"}, "Tags.member.1.Key": {"team"}, "Tags.member.1.Value": {"a"}},
	} {
		if status, body := s.post(eve, "iam", form); status != http.StatusForbidden || !strings.Contains(body, "AccessDenied") {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if tags := got(root.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: aws.String("free")}))(t).Tags; len(tags) != 1 {
		t.Errorf("tags %+v", tags)
	}
}

func TestIAM_simulatesOnlyTheEntityThatTheRightIsFor(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	s.user("boss", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	eve := s.user("eve", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:SimulatePrincipalPolicy","Resource":"arn:aws:iam::012345678910:user/team/*"}}`)
	_, err := s.iam(eve).SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::012345678910:user/team/boss"), ActionNames: []string{"s3:GetObject"}})
	refused(t, err, 404, "NoSuchEntity")
}

// What is long is refused before anything is done for each part of it: no caller can keep the server busy.
func TestIAM_longListsAreRefusedUnread(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	eve := s.user("eve", "")
	long := func(action, format string, n int) url.Values {
		form := url.Values{"Action": {action}, "UserName": {"eve"}, "PolicySourceArn": {"arn:aws:iam::012345678910:user/eve"}, "RoleArn": {"arn:aws:iam::012345678910:role/r"}, "RoleSessionName": {"eve"}}
		for i := range n {
			form.Set(fmt.Sprintf(format, i+1), fmt.Sprint("x", i))
		}
		return form
	}
	for service, forms := range map[string][]url.Values{
		"iam": {long("CreateUser", "Tags.member.%d.Key", 51), long("TagUser", "Tags.member.%d.Key", 51), long("UntagUser", "TagKeys.member.%d", 51)},
		"sts": {long("AssumeRole", "Tags.member.%d.Key", 51)},
	} {
		for _, form := range forms {
			if status, body := s.post(eve, service, form); status != http.StatusBadRequest || !strings.Contains(body, "Member must have length less than or equal to 50") {
				t.Errorf("%s: %d %s", form.Get("Action"), status, body)
			}
		}
	}
	form := long("SimulatePrincipalPolicy", "ActionNames.member.%d", 40)
	for i := range 40 {
		form.Set(fmt.Sprintf("ResourceArns.member.%d", i+1), "*")
	}
	if status, body := s.post(s.root, "iam", form); status != http.StatusBadRequest {
		t.Errorf("1,600 decisions: %d, %d bytes", status, len(body))
	}
	form = long("SimulatePrincipalPolicy", "ContextEntries.member.%d.ContextKeyName", 101)
	form.Set("ActionNames.member.1", "s3:GetObject")
	if status, body := s.post(s.root, "iam", form); status != http.StatusBadRequest {
		t.Errorf("101 condition keys: %d %s", status, body[:min(len(body), 200)])
	}
}
