package localcloud_test

import (
	"encoding/json"
	"errors"
	"flag"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"tarn/account"
	"tarn/api/localcloud"
)

var updateIAM = flag.Bool("update-iam", false, "write the golden tables of IAM and STS anew")

// The documents of the export guide.
const (
	guideAdmin = `{ "Version": "2012-10-17", "Statement": [ { "Action": [ "iam:CreateRole", "iam:CreatePolicy", "iam:AttachRolePolicy" ], "Effect": "Allow", "Resource": "*" },
		{ "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": { "StringEquals": { "iam:PassedToService": "healthlake.amazonaws.com" } } } ] }`
	guideTrust = `{"Version": "2012-10-17", "Statement": [ {"Effect": "Allow", "Principal": {"Service": [ "healthlake.amazonaws.com" ] }, "Action": "sts:AssumeRole",
		"Condition": { "StringEquals": { "aws:SourceAccount": "012345678910" }, "ArnEquals": { "aws:SourceArn": "arn:aws:healthlake:us-east-1:012345678910:datastore/fhir/*" } } } ] }`
	guideRole = `{ "Version": "2012-10-17", "Statement": [ { "Action": [ "s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration" ],
		"Resource": [ "arn:aws:s3:::outputS3Bucket" ], "Effect": "Allow" }, { "Action": [ "s3:PutObject" ], "Resource": [ "arn:aws:s3:::outputS3Bucket/*" ], "Effect": "Allow" },
		{ "Action": [ "kms:DescribeKey", "kms:GenerateDataKey*" ], "Resource": [ "arn:aws:kms:us-east-1:012345678910:key/d330e7fc-b56c-4216-a250-f4c43ef46e83" ], "Effect": "Allow" } ] }`
)

func TestIAM_guidesAdministratorMakesTheRoleAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	ana := s.iam(s.user("ana", guideAdmin))
	ctx := t.Context()

	policy := got(ana.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("export"), PolicyDocument: aws.String(guideRole)}))(t).Policy
	if *policy.Arn != "arn:aws:iam::012345678910:policy/export" || *policy.DefaultVersionId != "v1" || !strings.HasPrefix(*policy.PolicyId, "ANPA") {
		t.Errorf("policy %+v", policy)
	}
	role := got(ana.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("exporter"), AssumeRolePolicyDocument: aws.String(guideTrust)}))(t).Role
	if *role.Arn != "arn:aws:iam::012345678910:role/exporter" || !strings.HasPrefix(*role.RoleId, "AROA") || len(*role.RoleId) != 21 {
		t.Errorf("role %+v", role)
	}
	if doc, err := url.QueryUnescape(*role.AssumeRolePolicyDocument); err != nil || doc != guideTrust {
		t.Errorf("trust policy comes back as %q, %v", doc, err)
	}
	got(ana.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("exporter"), PolicyArn: policy.Arn}))(t)

	_, err := ana.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("eve")})
	refused(t, err, 403, "AccessDenied", "User: arn:aws:iam::012345678910:user/ana is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::012345678910:user/eve",
		"because no identity-based policy allows the iam:CreateUser action")
	_, err = ana.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String("exporter")})
	refused(t, err, 403, "AccessDenied", "iam:ListAttachedRolePolicies on resource: arn:aws:iam::012345678910:role/exporter")
	_, err = ana.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("missing")})
	refused(t, err, 403, "AccessDenied")

	s.start() // a restart keeps everything
	attached := got(s.iam(s.root).ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String("exporter")}))(t).AttachedPolicies
	if len(attached) != 1 || *attached[0].PolicyArn != *policy.Arn || *attached[0].PolicyName != "export" {
		t.Errorf("attached %+v", attached)
	}
}

func TestIAM_namesThePlaceWhereThePrintedTrustPolicyLacksAComma(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	printed := strings.Replace(strings.Join(strings.Fields(guideTrust), " "), `"sts:AssumeRole", "Condition"`, `"sts:AssumeRole" "Condition"`, 1)
	at := strings.Index(printed, `"sts:AssumeRole" "Condition"`) + len(`"sts:AssumeRole" `) + 1 // columns count from 1
	_, err := s.iam(s.root).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: &printed})
	refused(t, err, 400, "MalformedPolicyDocument", "line 1, column ", "expected", "','")
	var malformed *types.MalformedPolicyDocumentException
	if !errors.As(err, &malformed) {
		t.Fatalf("not the modelled error: %v", err)
	}
	place := func(column int) string { return "line 1, column " + strings.TrimSpace(jsonNumber(column)) + ":" }
	if !strings.Contains(*malformed.Message, place(at)) && !strings.Contains(*malformed.Message, place(at-1)) {
		t.Errorf("message %q does not name column %d, after \"sts:AssumeRole\"", *malformed.Message, at)
	}
}

func jsonNumber(n int) string { b, _ := json.Marshal(n); return string(b) }

func TestIAM_errorsAreIAMs(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	root, ctx := s.iam(s.root), t.Context()
	name := aws.String("one")
	got(root.CreateUser(ctx, &iam.CreateUserInput{UserName: name}))(t)
	got(root.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(guideTrust)}))(t)
	policy := got(root.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: name, PolicyDocument: aws.String(guideRole)}))(t).Policy.Arn
	got(root.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: policy}))(t)
	for what, c := range map[string]struct {
		status int
		code   string
		do     func() error
	}{
		"missing user": {404, "NoSuchEntity", func() error { _, err := root.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("no")}); return err }},
		"missing policy": {404, "NoSuchEntity", func() error {
			_, err := root.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: aws.String(*policy + "x")})
			return err
		}},
		"user twice": {409, "EntityAlreadyExists", func() error {
			_, err := root.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("ONE")})
			return err
		}},
		"bad name": {400, "ValidationError", func() error {
			_, err := root.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("a b")})
			return err
		}},
		"bad path": {400, "ValidationError", func() error {
			_, err := root.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("b"), Path: aws.String("x")})
			return err
		}},
		"user in use":   {409, "DeleteConflict", func() error { _, err := root.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name}); return err }},
		"policy in use": {409, "DeleteConflict", func() error { _, err := root.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: policy}); return err }},
		"AWS's policy": {403, "AccessDenied", func() error {
			_, err := root.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
			return err
		}},
		"malformed": {400, "MalformedPolicyDocument", func() error {
			_, err := root.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: name, PolicyDocument: aws.String("{")})
			return err
		}},
		"not an ARN": {400, "InvalidInput", func() error {
			_, err := root.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: aws.String("something-that-is-no-arn")})
			return err
		}},
		"long session": {400, "ValidationError", func() error {
			_, err := root.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: name, MaxSessionDuration: aws.Int32(60)})
			return err
		}},
		"third key": {409, "LimitExceeded", func() (err error) {
			for range 3 {
				_, err = root.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
			}
			return err
		}},
		"reserved tag": {400, "InvalidInput", func() error {
			_, err := root.TagUser(ctx, &iam.TagUserInput{UserName: name, Tags: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("")}}})
			return err
		}},
		"unknown action": {400, "InvalidAction", func() error {
			_, err := root.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: name})
			return err
		}},
	} {
		t.Run(what, func(t *testing.T) { refused(t, c.do(), c.status, c.code) })
	}
}

func TestIAM_keysStopAtOnce(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	root, ctx := s.iam(s.root), t.Context()
	keys := s.user("ana", "")
	identity := func() error { _, err := s.sts(keys).GetCallerIdentity(ctx, nil); return err }
	if err := identity(); err != nil {
		t.Fatal(err)
	}
	used := got(root.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &keys.AccessKeyID}))(t)
	if *used.UserName != "ana" || used.AccessKeyLastUsed.LastUsedDate == nil {
		t.Errorf("last used %+v", used)
	}
	set := func(status types.StatusType) {
		got(root.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: aws.String("ana"), AccessKeyId: &keys.AccessKeyID, Status: status}))(t)
	}
	set(types.StatusTypeInactive)
	refused(t, identity(), 403, "InvalidClientTokenId")
	set(types.StatusTypeActive)
	if err := identity(); err != nil {
		t.Fatal(err)
	}
	got(root.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: aws.String("ana"), AccessKeyId: &keys.AccessKeyID}))(t)
	refused(t, identity(), 403, "InvalidClientTokenId")
	list := got(root.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: aws.String("ana")}))(t).AccessKeyMetadata
	if len(list) != 0 {
		t.Errorf("keys left: %+v", list)
	}
	wrong := s.root
	wrong.SecretAccessKey = "wrong"
	_, err := s.sts(wrong).GetCallerIdentity(ctx, nil)
	refused(t, err, 403, "SignatureDoesNotMatch")
}

func TestIAM_pagesAndVersions(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	root, ctx := s.iam(s.root), t.Context()
	for _, name := range []string{"carl", "Ana", "bob", "dora"} {
		got(root.CreateUser(ctx, &iam.CreateUserInput{UserName: &name, Path: aws.String("/staff/")}))(t)
	}
	var names []string
	pages := iam.NewListUsersPaginator(root, &iam.ListUsersInput{MaxItems: aws.Int32(1), PathPrefix: aws.String("/staff/")})
	for pages.HasMorePages() {
		for _, u := range got(pages.NextPage(ctx))(t).Users {
			names = append(names, *u.UserName)
		}
	}
	if strings.Join(names, " ") != "Ana bob carl dora" {
		t.Errorf("users %v", names)
	}

	doc := aws.String(guideRole)
	arn := got(root.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: doc}))(t).Policy.Arn
	for range 4 {
		got(root.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: doc, SetAsDefault: true}))(t)
	}
	_, err := root.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: doc})
	refused(t, err, 409, "LimitExceeded")
	_, err = root.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v5")})
	refused(t, err, 409, "DeleteConflict")
	_, err = root.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn})
	refused(t, err, 409, "DeleteConflict")
	got(root.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")}))(t)
	version := got(root.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")}))(t).PolicyVersion
	if plain, err := url.QueryUnescape(*version.Document); err != nil || plain != guideRole || !version.IsDefaultVersion {
		t.Errorf("version %+v", version)
	}
	for _, id := range []string{"v1", "v3", "v4", "v5"} {
		got(root.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: &id}))(t)
	}
	if n := len(got(root.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: arn}))(t).Versions); n != 1 {
		t.Errorf("%d versions left", n)
	}
	got(root.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))(t)
	aws0 := got(root.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeAws}))(t).Policies
	if len(aws0) != len(account.ManagedPolicies()) {
		t.Errorf("%d policies of AWS", len(aws0))
	}
}

func TestIAM_groupsBoundariesAndSimulation(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	root, ctx := s.iam(s.root), t.Context()
	ana := s.iam(s.user("ana", ""))
	user, readers := aws.String("ana"), aws.String("readers")
	list := func() error { _, err := ana.ListUsers(ctx, &iam.ListUsersInput{}); return err }
	got(root.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: readers}))(t)
	got(root.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: readers, PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")}))(t)
	refused(t, list(), 403, "AccessDenied")
	got(root.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: readers, UserName: user}))(t)
	if err := list(); err != nil {
		t.Fatal(err)
	}
	got(root.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: user, PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/AmazonS3FullAccess")}))(t)
	refused(t, list(), 403, "AccessDenied", "because no permissions boundary allows the iam:ListUsers action")
	got(root.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: user}))(t)
	group := got(root.GetGroup(ctx, &iam.GetGroupInput{GroupName: readers}))(t)
	if len(group.Users) != 1 || *group.Users[0].UserName != "ana" {
		t.Errorf("group %+v", group.Users)
	}
	result := got(root.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::012345678910:user/ana"),
		ActionNames: []string{"iam:ListUsers", "iam:CreateUser"}}))(t).EvaluationResults
	if len(result) != 2 || result[0].EvalDecision != "allowed" || result[1].EvalDecision != "implicitDeny" {
		t.Errorf("simulation %+v", result)
	}
	uses := got(root.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")}))(t)
	if len(uses.PolicyGroups) != 1 {
		t.Errorf("uses %+v", uses)
	}
	summary := got(root.GetAccountSummary(ctx, &iam.GetAccountSummaryInput{}))(t).SummaryMap
	if summary["Users"] != 1 || summary["Groups"] != 1 {
		t.Errorf("summary %v", summary)
	}
	got(root.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: readers, UserName: user}))(t)
	refused(t, list(), 403, "AccessDenied")
}

func TestIAM_conditionsOnWhatIsAttached(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	ana := s.iam(s.user("ana", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:AttachUserPolicy","iam:CreateUser"],"Resource":"*",
		"Condition":{"ArnLikeIfExists":{"iam:PolicyARN":"arn:aws:iam::aws:policy/AmazonS3*"}}}}`))
	attach := func(policy string) error {
		_, err := ana.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: aws.String("ana"), PolicyArn: aws.String("arn:aws:iam::aws:policy/" + policy)})
		return err
	}
	if err := attach("AmazonS3ReadOnlyAccess"); err != nil {
		t.Error(err)
	}
	refused(t, attach("AdministratorAccess"), 403, "AccessDenied", "iam:AttachUserPolicy")
	_, err := ana.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("eve"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("x")}}})
	refused(t, err, 403, "AccessDenied", "iam:TagUser")
}

func TestIAM_awsCommandLine(t *testing.T) {
	t.Parallel()
	cli, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS CLI is not installed; the same calls are made by the SDK in other tests")
	}
	s := newRights(t)
	keys := s.user("ana", guideAdmin)
	dir := t.TempDir()
	trust, policy := filepath.Join(dir, "trust.json"), filepath.Join(dir, "policy.json")
	for file, doc := range map[string]string{trust: guideTrust, policy: guideRole} {
		if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), cli, append(args, "--endpoint-url", s.url, "--region", "us-east-1", "--output", "json")...)
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+keys.SecretAccessKey, "AWS_SESSION_TOKEN=",
			"AWS_CONFIG_FILE="+filepath.Join(dir, "none"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(dir, "none"), "HOME="+dir, "AWS_MAX_ATTEMPTS=1")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, c := range []struct{ args, want string }{
		{"sts get-caller-identity", `"Arn": "arn:aws:iam::012345678910:user/ana"`},
		{"iam create-policy --policy-name export --policy-document file://" + policy, `"Arn": "arn:aws:iam::012345678910:policy/export"`},
		{"iam create-role --role-name exporter --assume-role-policy-document file://" + trust, `"Service": [`},
		{"iam attach-role-policy --role-name exporter --policy-arn arn:aws:iam::012345678910:policy/export", ""},
	} {
		out, err := run(strings.Fields(c.args)...)
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("aws %s: %v\n%s", c.args, err, out)
		}
	}
	out, err := run("iam", "create-user", "--user-name", "eve")
	if err == nil || !strings.Contains(out, "(AccessDenied) when calling the CreateUser operation: User: arn:aws:iam::012345678910:user/ana is not authorized") {
		t.Errorf("create-user: %v\n%s", err, out)
	}
}

func TestIAM_tablesAreAsReviewed(t *testing.T) {
	t.Parallel()
	goldenTable(t, "testdata/iam_actions.txt", localcloud.IAMRows())
	goldenTable(t, "testdata/sts_actions.txt", localcloud.STSRows())
}

// goldenTable holds text against a file; -update-iam writes it anew.
func goldenTable(t *testing.T, file, text string) {
	t.Helper()
	if *updateIAM {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s has changed (-update-iam writes it anew):\n%s", file, diff)
	}
}
