package account_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tarn/account"
	"tarn/fault"
	"tarn/kv"
)

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
