package account_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"tarn/access"
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
