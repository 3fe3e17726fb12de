package account_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tarn/access"
	"tarn/access/iam"
	"tarn/access/seal"
	"tarn/account"
	"tarn/fault"
	"tarn/kv"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
)

const (
	number = "012345678910"
	docS3  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`
	docKMS = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}}`
	trust  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::012345678910:user/ana"},"Action":"sts:AssumeRole"}}`
)

func sealer(t testing.TB, fill byte) *seal.Sealer {
	t.Helper()
	s, err := seal.New(bytes.Repeat([]byte{fill}, seal.MasterSize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func engine(t testing.TB) *kvtest.Faulty {
	t.Helper()
	e, err := pebble.InMemory(pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := kvtest.NewFaulty(e)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func system(t testing.TB, e kv.Engine) kv.Space {
	t.Helper()
	s, err := e.Open(context.Background(), "system")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, space kv.Space) *account.Accounts {
	t.Helper()
	a, err := account.Open(context.Background(), space, account.Options{Account: number, Sealer: sealer(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wants holds an error against IAM's word.
func wants(t testing.TB, err error, code string) {
	t.Helper()
	var refused *account.Error
	if !errors.As(err, &refused) || refused.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

var (
	ana  = account.Holder{Kind: account.User, Name: "ana"}
	role = account.Holder{Kind: account.Role, Name: "exporter"}
)

func TestOpen_knowsItsAccountAndMasterKey(t *testing.T) {
	t.Parallel()
	ctx, space := t.Context(), system(t, engine(t))
	a := open(t, space)
	id, secret, created, err := a.EnsureRoot(ctx)
	if err != nil || !created || !strings.HasPrefix(id, "AKIA") || len(id) != 20 || len(secret) != 40 {
		t.Fatalf("EnsureRoot = %q, %d characters, %v, %v", id, len(secret), created, err)
	}
	again, secret2, created, err := open(t, space).EnsureRoot(ctx)
	if err != nil || created || again != id || secret2 != secret {
		t.Errorf("after a restart: %q, %v, %v", again, created, err)
	}
	for what, o := range map[string]account.Options{
		"another master key": {Account: number, Sealer: sealer(t, 2)},
		"another account":    {Account: "999999999999", Sealer: sealer(t, 1)},
	} {
		if _, err := account.Open(ctx, space, o); fault.KindOf(err) != fault.Conflict || fault.Hint(err) == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, o := range map[string]account.Options{"no account": {Account: "12", Sealer: sealer(t, 1)}, "no sealer": {Account: number}} {
		if _, err := account.Open(ctx, space, o); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	check(t, a.DeleteAccessKey(ctx, "", id))
	if again, _, created, err := open(t, space).EnsureRoot(ctx); err != nil || created || again != "" {
		t.Errorf("a deleted root key is back: %q, %v, %v", again, created, err)
	}
}

func TestAccounts_keepSecretsSealed(t *testing.T) {
	t.Parallel()
	ctx, space := t.Context(), system(t, engine(t))
	a := open(t, space)
	_, root, _, err := a.EnsureRoot(ctx)
	check(t, err)
	_, err = a.Create(ctx, account.NewEntity{Kind: account.User, Name: "ana"})
	check(t, err)
	_, secret, err := a.CreateAccessKey(ctx, "ana")
	check(t, err)
	s, err := space.Snapshot(ctx)
	check(t, err)
	defer func() { _ = s.Close() }()
	it := s.Scan(ctx, kv.Range{})
	rows := 0
	for it.Next() {
		rows++
		if bytes.Contains(it.Value(), []byte(secret)) || bytes.Contains(it.Value(), []byte(root)) {
			t.Errorf("a secret lies open in %s", it.Key())
		}
		if !strings.HasPrefix(string(it.Key()), "account/") {
			t.Errorf("row %s is outside account/", it.Key())
		}
	}
	check(t, errors.Join(it.Err(), it.Close()))
	if rows < 5 {
		t.Errorf("only %d rows seen", rows)
	}
}

// steps are writes in an order in which each needs those before it.
var steps = []struct {
	name string
	do   func(ctx context.Context, a *account.Accounts) error
}{
	{"CreateUser", func(ctx context.Context, a *account.Accounts) error {
		_, err := a.Create(ctx, account.NewEntity{Kind: account.User, Name: "ana"})
		return err
	}},
	{"CreateRole", func(ctx context.Context, a *account.Accounts) error {
		_, err := a.Create(ctx, account.NewEntity{Kind: account.Role, Name: "exporter", Trust: trust})
		return err
	}},
	{"CreatePolicy", func(ctx context.Context, a *account.Accounts) error {
		_, err := a.CreatePolicy(ctx, account.Policy{Name: "p"}, docS3)
		return err
	}},
	{"CreatePolicyVersion", func(ctx context.Context, a *account.Accounts) error {
		_, err := a.CreatePolicyVersion(ctx, a.ARN("policy/p"), docKMS, true)
		return err
	}},
	{"AttachRolePolicy", func(ctx context.Context, a *account.Accounts) error {
		return a.AttachPolicy(ctx, role, a.ARN("policy/p"))
	}},
	{"PutUserPolicy", func(ctx context.Context, a *account.Accounts) error { return a.PutInline(ctx, ana, "own", docS3) }},
	{"CreateAccessKey", func(ctx context.Context, a *account.Accounts) error {
		_, _, err := a.CreateAccessKey(ctx, "ana")
		return err
	}},
	{"TagUser", func(ctx context.Context, a *account.Accounts) error {
		return a.Tag(ctx, ana, []account.Tag{{Key: "team", Value: "night"}})
	}},
	{"PutBoundary", func(ctx context.Context, a *account.Accounts) error {
		return a.SetBoundary(ctx, ana, "arn:aws:iam::aws:policy/AmazonS3FullAccess")
	}},
	{"UpdateTrust", func(ctx context.Context, a *account.Accounts) error { return a.UpdateTrust(ctx, "exporter", trust+" ") }},
	{"DetachRolePolicy", func(ctx context.Context, a *account.Accounts) error {
		return a.DetachPolicy(ctx, role, a.ARN("policy/p"))
	}},
	{"DeleteRole", func(ctx context.Context, a *account.Accounts) error { return a.Delete(ctx, role) }},
	{"RenameUser", func(ctx context.Context, a *account.Accounts) error { return a.Rename(ctx, ana, "anna", "/staff/") }},
}

// dump is every row but the epoch, by which two states compare; times and random ids are left out.
func dump(t *testing.T, space kv.Space) string {
	t.Helper()
	s, err := space.Snapshot(t.Context())
	check(t, err)
	defer func() { _ = s.Close() }()
	var b strings.Builder
	it := s.Scan(t.Context(), kv.Range{})
	for it.Next() {
		if string(it.Key()) != "account/epoch" {
			fmt.Fprintf(&b, "%s %s\n", it.Key(), it.Value())
		}
	}
	check(t, errors.Join(it.Err(), it.Close()))
	return b.String()
}

func TestAccounts_everyWriteHappensWholeOrNot(t *testing.T) {
	t.Parallel()
	for i, step := range steps {
		for _, side := range []string{"before", "after"} {
			t.Run(step.name+" fails "+side, func(t *testing.T) {
				t.Parallel()
				ctx, e := t.Context(), engine(t)
				space := system(t, e)
				a := open(t, space)
				for _, s := range steps[:i] {
					check(t, s.do(ctx, a))
				}
				check(t, same(ctx, a, a)) // so that all of it is known
				was := dump(t, space)
				if side == "before" {
					e.FailBefore(1)
				} else {
					e.FailAfter(1)
				}
				if err := step.do(ctx, a); fault.KindOf(err) != fault.Unavailable {
					t.Fatalf("the failure is told as %v", err)
				}
				is := dump(t, space)
				if (side == "before") != (is == was) {
					t.Errorf("failed %s, and the state was\n%s\nand is\n%s", side, was, is)
				}
				// What is known afterwards is what is stored, not what was meant to be: same process, and a restart.
				check(t, same(ctx, a, open(t, space)))
				if side == "before" {
					if err := step.do(ctx, a); err != nil {
						t.Errorf("repeated: %v", err)
					}
				}
			})
		}
	}
}

// same says whether two see the same users, roles and grants.
func same(ctx context.Context, a, b *account.Accounts) error {
	for _, kind := range []account.Kind{account.User, account.Role} {
		one, err1 := a.List(ctx, kind, "/")
		two, err2 := b.List(ctx, kind, "/")
		if err := errors.Join(err1, err2); err != nil || len(one) != len(two) {
			return fmt.Errorf("%d and %d of kind %s: %w", len(one), len(two), kind, err)
		}
		for i := range one {
			g1, err1 := a.Grant(ctx, a.PrincipalOf(one[i]))
			g2, err2 := b.Grant(ctx, b.PrincipalOf(two[i]))
			if err := errors.Join(err1, err2); err != nil || len(g1.Identity) != len(g2.Identity) || (g1.Boundary == nil) != (g2.Boundary == nil) {
				return fmt.Errorf("grants of %s differ: %w", one[i].ARN, err)
			}
			for _, key := range one[i].Keys {
				c1, err1 := a.Credential(ctx, key)
				c2, err2 := b.Credential(ctx, key)
				if err := errors.Join(err1, err2); err != nil || c1.Secret != c2.Secret || c1.Principal.ARN != c2.Principal.ARN || c1.Principal.ARN != one[i].ARN {
					return fmt.Errorf("credentials of %s differ: %w", one[i].ARN, err)
				}
			}
		}
	}
	return nil
}

func TestAccounts_nodesSeeEachOther(t *testing.T) {
	t.Parallel()
	ctx, space := t.Context(), system(t, engine(t))
	here, there := open(t, space), open(t, space)
	user, err := here.Create(ctx, account.NewEntity{Kind: account.User, Name: "ana"})
	check(t, err)
	key, _, err := here.CreateAccessKey(ctx, "ana")
	check(t, err)
	may := func(a *account.Accounts) bool {
		t.Helper()
		c, err := a.Credential(ctx, key.ID)
		check(t, err)
		g, err := a.Grant(ctx, c.Principal)
		check(t, err)
		return c.Active && access.Decide(&access.Request{Principal: c.Principal, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}, g, nil).Allowed()
	}
	if may(here) || may(there) {
		t.Fatal("a user without a policy may read")
	}
	check(t, here.PutInline(ctx, ana, "own", docS3))
	if !may(here) {
		t.Error("a node does not see its own write at once")
	}
	there.LookNow()
	if !may(there) {
		t.Error("a node does not see another one's write when it looks")
	}
	check(t, there.SetAccessKey(ctx, "ana", key.ID, false))
	here.LookNow()
	if may(here) || may(there) {
		t.Error("a disabled key is active")
	}
	check(t, here.DeleteAccessKey(ctx, "ana", key.ID))
	check(t, here.DeleteInline(ctx, ana, "own"))
	check(t, here.Delete(ctx, ana))
	if _, err := here.Credential(ctx, key.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a deleted key: %v", err)
	}
	_, err = here.Create(ctx, account.NewEntity{Kind: account.User, Name: "ana"})
	check(t, err)
	if _, err := here.Grant(ctx, here.PrincipalOf(user)); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a namesake's grant is inherited: %v", err)
	}
}

func TestAccounts_attachAndDeleteAtTheSameTime(t *testing.T) {
	t.Parallel()
	ctx, space := t.Context(), system(t, engine(t))
	a, b := open(t, space), open(t, space)
	_, err := a.Create(ctx, account.NewEntity{Kind: account.User, Name: "ana"})
	check(t, err)
	for i := range 50 {
		p, err := a.CreatePolicy(ctx, account.Policy{Name: "p"}, docS3)
		check(t, err)
		done := make(chan error)
		go func() { done <- a.AttachPolicy(ctx, ana, p.ARN) }()
		deleted, attached := b.DeletePolicy(ctx, p.ARN), <-done
		if (deleted == nil) == (attached == nil) {
			t.Fatalf("round %d: attached %v, deleted %v", i, attached, deleted)
		}
		if attached == nil {
			wants(t, deleted, "DeleteConflict")
			check(t, a.DetachPolicy(ctx, ana, p.ARN))
			check(t, a.DeletePolicy(ctx, p.ARN))
		} else {
			wants(t, attached, "NoSuchEntity")
		}
	}
}

func TestManagedPolicies_areAsAWSDocumentsThem(t *testing.T) {
	t.Parallel()
	compiled := map[string]access.Policy{}
	for _, p := range account.ManagedPolicies() {
		c, err := iam.Parse(iam.Managed, []byte(p.Versions[0].Document))
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		compiled[p.Name] = c
	}
	for _, c := range []struct {
		policy, action, passedTo string
		want                     bool
	}{
		{"AdministratorAccess", "iam:CreateUser", "", true},
		{"PowerUserAccess", "healthlake:CreateFHIRDatastore", "", true},
		{"PowerUserAccess", "iam:CreateUser", "", false},
		{"PowerUserAccess", "iam:ListRoles", "", true},
		{"ReadOnlyAccess", "healthlake:ReadResource", "", true},
		{"ReadOnlyAccess", "s3:PutObject", "", false},
		{"IAMFullAccess", "iam:CreateUser", "", true},
		{"IAMFullAccess", "s3:GetObject", "", false},
		{"IAMReadOnlyAccess", "iam:GetUser", "", true},
		{"IAMReadOnlyAccess", "iam:CreateUser", "", false},
		{"AmazonS3FullAccess", "s3:PutObject", "", true},
		{"AmazonS3ReadOnlyAccess", "s3:GetObject", "", true},
		{"AmazonS3ReadOnlyAccess", "s3:PutObject", "", false},
		{"AmazonHealthLakeFullAccess", "healthlake:StartFHIRExportJob", "", true},
		{"AmazonHealthLakeFullAccess", "s3:ListAllMyBuckets", "", true},
		{"AmazonHealthLakeFullAccess", "s3:GetObject", "", false},
		{"AmazonHealthLakeFullAccess", "iam:ListRoles", "", true},
		{"AmazonHealthLakeFullAccess", "iam:PassRole", "healthlake.amazonaws.com", true},
		{"AmazonHealthLakeFullAccess", "iam:PassRole", "ec2.amazonaws.com", false},
		{"AmazonHealthLakeReadOnlyAccess", "healthlake:DescribeFHIRExportJob", "", true},
		{"AmazonHealthLakeReadOnlyAccess", "healthlake:CreateResource", "", false},
		{"AWSKeyManagementServicePowerUser", "kms:CreateKey", "", true},
		{"AWSKeyManagementServicePowerUser", "kms:ScheduleKeyDeletion", "", false},
	} {
		r := &access.Request{Principal: access.Principal{Kind: access.User, Account: number}, Action: c.action, Resource: "*"}
		if c.passedTo != "" {
			r.Context.Set(access.KeyPassedToService, c.passedTo)
		}
		if got := compiled[c.policy].Evaluate(r).Allowed(); got != c.want {
			t.Errorf("%s, %s to %q: %v", c.policy, c.action, c.passedTo, got)
		}
	}
}

func TestSession_tokensCannotBeForged(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := open(t, system(t, engine(t)))
	user, err := a.Create(ctx, account.NewEntity{Kind: account.User, Name: "ana"})
	check(t, err)
	c, err := a.SessionToken(a.PrincipalOf(user), time.Hour)
	check(t, err)
	if got, err := a.Session(ctx, c.AccessKeyID, c.SessionToken); err != nil || got.Secret != c.Secret || got.Principal.TokenIssued.IsZero() || got.SessionToken != c.SessionToken {
		t.Fatalf("%+v, %v", got.Principal, err)
	}
	foreign, err := account.Open(ctx, system(t, engine(t)), account.Options{Account: number, Sealer: sealer(t, 2)})
	check(t, err)
	other, err := foreign.SessionToken(a.PrincipalOf(user), time.Hour)
	check(t, err)
	fresh := func() *account.Accounts { return open(t, system(t, engine(t))) } // has opened nothing yet
	for what, token := range map[string]string{
		"none": "", "rubbish": "tarn1.rubbish!", "cut": c.SessionToken[:len(c.SessionToken)-4], "another prefix": "tarn2" + c.SessionToken[5:],
		"another master key": other.SessionToken, "too long": "tarn1." + strings.Repeat("A", 1<<20),
	} {
		for _, node := range []*account.Accounts{a, fresh()} {
			if _, err := node.Session(ctx, c.AccessKeyID, token); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	for i := range len(c.SessionToken) - len("tarn1.") {
		changed := []byte(c.SessionToken)
		changed[i+6] ^= 1
		if _, err := a.Session(ctx, c.AccessKeyID, string(changed)); fault.KindOf(err) != fault.NotFound {
			t.Fatalf("changed at %d: %v", i, err)
		}
	}
	if _, err := fresh().Session(ctx, "ASIAAAAAAAAAAAAAAAAA", c.SessionToken); fault.KindOf(err) != fault.NotFound {
		t.Errorf("token of another key: %v", err)
	}
}

func TestSession_whatNarrowsItIsNeverForgotten(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := open(t, system(t, engine(t)))
	user, err := a.Create(ctx, account.NewEntity{Kind: account.User, Name: "ana"})
	check(t, err)
	_, err = a.Create(ctx, account.NewEntity{Kind: account.Role, Name: "exporter", Trust: trust})
	check(t, err)
	assumed, err := a.AssumeRole(ctx, account.Assumption{Caller: a.PrincipalOf(user), RoleARN: a.ARN("role/exporter"), SessionName: "night", Policy: docS3})
	check(t, err)
	c, err := a.Session(ctx, assumed.AccessKeyID, assumed.SessionToken)
	check(t, err)
	g, err := a.Grant(ctx, c.Principal)
	if err != nil || len(g.Session) != 1 {
		t.Fatalf("%d session policies, %v", len(g.Session), err)
	}
	for i := range 3 * account.PerGeneration { // crowd it out
		a.KeepSession(fmt.Sprintf("ASIA%016d", i))
	}
	if g, err := a.Grant(ctx, c.Principal); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a session whose policies are not known here gets %d of them, %v", len(g.Session), err)
	}
	if _, err = a.Session(ctx, assumed.AccessKeyID, assumed.SessionToken); err != nil {
		t.Error(err)
	}
	if g, err := a.Grant(ctx, c.Principal); err != nil || len(g.Session) != 1 {
		t.Errorf("after it came back: %d session policies, %v", len(g.Session), err)
	}
}

// BenchmarkDirectory is what each request asks: a credential and its grant, both known.
func BenchmarkDirectory(b *testing.B) {
	ctx := context.Background()
	a := open(b, system(b, engine(b)))
	_, err := a.Create(ctx, account.NewEntity{Kind: account.User, Name: "ana"})
	check(b, err)
	check(b, a.PutInline(ctx, ana, "own", docS3))
	key, _, err := a.CreateAccessKey(ctx, "ana")
	check(b, err)
	b.ReportAllocs()
	for b.Loop() {
		c, err := a.Credential(ctx, key.ID)
		check(b, err)
		_, err = a.Grant(ctx, c.Principal)
		check(b, err)
	}
}
