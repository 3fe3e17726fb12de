package account_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tarn/access"
	"tarn/account"
	"tarn/fault"
)

// Two installations may be given one master key, such as a trial beside the real one. A session of the one account is
// none of the other, least of all the root's, which has no id of its own.
func TestSession_isOfItsAccountOnly(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := open(t, system(t, engine(t)))
	other, err := account.Open(ctx, system(t, engine(t)), account.Options{Account: "999999999999", Sealer: sealer(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.SessionToken(access.RootOf(number), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Session(ctx, c.AccessKeyID, c.SessionToken); err != nil {
		t.Errorf("its own account: %v", err)
	}
	if who, err := other.Session(ctx, c.AccessKeyID, c.SessionToken); !fault.Is(err, fault.NotFound) {
		t.Errorf("another account takes the session for %s, %v", who.Principal.ARN, err)
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
