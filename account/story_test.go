package account_test

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tarn/access"
	"tarn/access/seal"
	"tarn/account"
)

// world is a plain model of users, groups and policies beside the real one.
type world struct {
	accounts *account.Accounts
	reopen   func() *account.Accounts
	users    map[string]*modelUser
	groups   map[string][]string // name -> ARNs attached
	policies map[string]string   // ARN -> the action that it allows
}

type modelUser struct {
	attached, groups []string
	inline           map[string]string // name -> action
	keys             []string
}

var actions = []string{"s3:GetObject", "s3:PutObject", "kms:Decrypt", "healthlake:ReadResource"}

func allowing(action string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"` + action + `","Resource":"*"}}`
}

func (w *world) policyARNs() []string {
	var list []string
	for arn := range w.policies {
		list = append(list, arn)
	}
	sort.Strings(list)
	return list
}

// expect holds an outcome against whether the model would have allowed it.
func expect(rt *rapid.T, what string, err error, ok bool) bool {
	if (err == nil) != ok {
		rt.Fatalf("%s: %v, the model says %v", what, err, ok)
	}
	return ok
}

func TestAccounts_story(t *testing.T) {
	t.Parallel()
	names := rapid.SampledFrom([]string{"ana", "bob", "Carl"})
	groupNames := rapid.SampledFrom([]string{"day", "night"})
	policyNames := rapid.SampledFrom([]string{"p", "q"})
	rapid.Check(t, func(rt *rapid.T) {
		ctx := context.Background()
		space := system(t, engine(t))
		w := &world{users: map[string]*modelUser{}, groups: map[string][]string{}, policies: map[string]string{}}
		w.reopen = func() *account.Accounts { return open(t, space) }
		w.accounts = w.reopen()
		rt.Repeat(map[string]func(*rapid.T){
			"create user": func(rt *rapid.T) {
				name := names.Draw(rt, "name")
				_, err := w.accounts.Create(ctx, account.NewEntity{Kind: account.User, Name: name})
				if expect(rt, "create "+name, err, w.users[name] == nil) {
					w.users[name] = &modelUser{inline: map[string]string{}}
				}
			},
			"delete user": func(rt *rapid.T) {
				name := names.Draw(rt, "name")
				u := w.users[name]
				err := w.accounts.Delete(ctx, account.Holder{Kind: account.User, Name: strings.ToUpper(name)})
				if expect(rt, "delete "+name, err, u != nil && len(u.attached)+len(u.groups)+len(u.inline)+len(u.keys) == 0) {
					delete(w.users, name)
				}
			},
			"create policy": func(rt *rapid.T) {
				name, action := policyNames.Draw(rt, "name"), rapid.SampledFrom(actions).Draw(rt, "action")
				p, err := w.accounts.CreatePolicy(ctx, account.Policy{Name: name}, allowing(action))
				arn := w.accounts.ARN("policy/" + name)
				if expect(rt, "create policy "+name, err, w.policies[arn] == "") {
					w.policies[p.ARN] = action
				}
			},
			"delete policy": func(rt *rapid.T) {
				arn := w.accounts.ARN("policy/" + policyNames.Draw(rt, "name"))
				used := false
				for _, u := range w.users {
					used = used || slices.Contains(u.attached, arn)
				}
				for _, attached := range w.groups {
					used = used || slices.Contains(attached, arn)
				}
				if expect(rt, "delete "+arn, w.accounts.DeletePolicy(ctx, arn), w.policies[arn] != "" && !used) {
					delete(w.policies, arn)
				}
			},
			"change policy": func(rt *rapid.T) {
				arn, action := w.accounts.ARN("policy/"+policyNames.Draw(rt, "name")), rapid.SampledFrom(actions).Draw(rt, "action")
				v, err := w.accounts.CreatePolicyVersion(ctx, arn, allowing(action), true)
				if expect(rt, "change "+arn, err, w.policies[arn] != "") {
					w.policies[arn] = action
					p, err := w.accounts.ManagedPolicy(ctx, arn)
					if err != nil || p.Default != v.ID {
						rt.Fatalf("default %+v, %v", p, err)
					}
					for _, old := range p.Versions {
						if old.ID != v.ID {
							expect(rt, "delete old version", w.accounts.DeletePolicyVersion(ctx, arn, old.ID), true)
						}
					}
				}
			},
			"attach": func(rt *rapid.T) {
				name, arn := names.Draw(rt, "name"), w.accounts.ARN("policy/"+policyNames.Draw(rt, "policy"))
				u := w.users[name]
				err := w.accounts.AttachPolicy(ctx, account.Holder{Kind: account.User, Name: name}, arn)
				if expect(rt, "attach", err, u != nil && w.policies[arn] != "") && !slices.Contains(u.attached, arn) {
					u.attached = append(u.attached, arn)
				}
			},
			"detach": func(rt *rapid.T) {
				name, arn := names.Draw(rt, "name"), w.accounts.ARN("policy/"+policyNames.Draw(rt, "policy"))
				u := w.users[name]
				err := w.accounts.DetachPolicy(ctx, account.Holder{Kind: account.User, Name: name}, arn)
				if expect(rt, "detach", err, u != nil && slices.Contains(u.attached, arn)) {
					u.attached = slices.DeleteFunc(u.attached, func(s string) bool { return s == arn })
				}
			},
			"create group": func(rt *rapid.T) {
				name := groupNames.Draw(rt, "name")
				_, there := w.groups[name]
				_, err := w.accounts.Create(ctx, account.NewEntity{Kind: account.Group, Name: name})
				if expect(rt, "create group", err, !there) {
					w.groups[name] = nil
				}
			},
			"attach to group": func(rt *rapid.T) {
				name, arn := groupNames.Draw(rt, "name"), w.accounts.ARN("policy/"+policyNames.Draw(rt, "policy"))
				attached, there := w.groups[name]
				err := w.accounts.AttachPolicy(ctx, account.Holder{Kind: account.Group, Name: name}, arn)
				if expect(rt, "attach to group", err, there && w.policies[arn] != "") && !slices.Contains(attached, arn) {
					w.groups[name] = append(attached, arn)
				}
			},
			"join": func(rt *rapid.T) {
				name, group := names.Draw(rt, "name"), groupNames.Draw(rt, "group")
				_, there := w.groups[group]
				u := w.users[name]
				if expect(rt, "join", w.accounts.AddToGroup(ctx, name, group), u != nil && there) && !slices.Contains(u.groups, group) {
					u.groups = append(u.groups, group)
				}
			},
			"leave": func(rt *rapid.T) {
				name, group := names.Draw(rt, "name"), groupNames.Draw(rt, "group")
				u := w.users[name]
				if expect(rt, "leave", w.accounts.RemoveFromGroup(ctx, name, group), u != nil && slices.Contains(u.groups, group)) {
					u.groups = slices.DeleteFunc(u.groups, func(s string) bool { return s == group })
				}
			},
			"inline": func(rt *rapid.T) {
				name, action := names.Draw(rt, "name"), rapid.SampledFrom(actions).Draw(rt, "action")
				u := w.users[name]
				err := w.accounts.PutInline(ctx, account.Holder{Kind: account.User, Name: name}, "own", allowing(action))
				if expect(rt, "inline", err, u != nil) {
					u.inline["own"] = action
				}
			},
			"delete inline": func(rt *rapid.T) {
				name := names.Draw(rt, "name")
				u := w.users[name]
				err := w.accounts.DeleteInline(ctx, account.Holder{Kind: account.User, Name: name}, "own")
				if expect(rt, "delete inline", err, u != nil && u.inline["own"] != "") {
					delete(u.inline, "own")
				}
			},
			"create key": func(rt *rapid.T) {
				name := names.Draw(rt, "name")
				u := w.users[name]
				key, _, err := w.accounts.CreateAccessKey(ctx, name)
				if expect(rt, "create key", err, u != nil && len(u.keys) < account.MaxKeys) {
					u.keys = append(u.keys, key.ID)
				}
			},
			"delete key": func(rt *rapid.T) {
				name := names.Draw(rt, "name")
				u := w.users[name]
				if u == nil || len(u.keys) == 0 {
					return
				}
				expect(rt, "delete key", w.accounts.DeleteAccessKey(ctx, name, u.keys[0]), true)
				u.keys = u.keys[1:]
			},
			"restart": func(*rapid.T) { w.accounts = w.reopen() },
			"":        func(rt *rapid.T) { w.compare(ctx, rt) },
		})
	})
}

// compare asks the real one what each user may do.
func (w *world) compare(ctx context.Context, rt *rapid.T) {
	list, err := w.accounts.List(ctx, account.User, "/")
	if err != nil || len(list) != len(w.users) {
		rt.Fatalf("%d users, %v; want %d", len(list), err, len(w.users))
	}
	for _, e := range list {
		u := w.users[e.Name]
		if u == nil {
			rt.Fatalf("user %s should not be", e.Name)
		}
		want := map[string]bool{}
		for _, arn := range u.attached {
			want[w.policies[arn]] = true
		}
		for _, group := range u.groups {
			for _, arn := range w.groups[group] {
				want[w.policies[arn]] = true
			}
		}
		for _, action := range u.inline {
			want[action] = true
		}
		p := w.accounts.PrincipalOf(e)
		grant, err := w.accounts.Grant(ctx, p)
		if err != nil {
			rt.Fatal(err)
		}
		for _, action := range actions {
			r := &access.Request{Principal: p, Action: action, Resource: "arn:aws:s3:::x"}
			if got := access.Decide(r, grant, nil).Allowed(); got != want[action] {
				rt.Fatalf("%s may %s: %v, want %v", e.Name, action, got, want[action])
			}
		}
		if fmt.Sprint(e.Keys) != fmt.Sprint(append([]string{}, u.keys...)) {
			rt.Fatalf("%s has keys %v, want %v", e.Name, e.Keys, u.keys)
		}
	}
	for _, arn := range w.policyARNs() {
		if _, err := w.accounts.ManagedPolicy(ctx, arn); err != nil {
			rt.Fatal(err)
		}
	}
}

func FuzzSession(f *testing.F) {
	// Each process of the fuzzer has a master key of its own, so that no seed of another one opens here.
	own, err := seal.New(seal.NewMaster())
	check(f, err)
	a, err := account.Open(context.Background(), system(f, engine(f)), account.Options{Account: number, Sealer: own})
	check(f, err)
	user, err := a.Create(context.Background(), account.NewEntity{Kind: account.User, Name: "ana"})
	check(f, err)
	c, err := a.SessionToken(a.PrincipalOf(user), 0)
	check(f, err)
	f.Add(c.AccessKeyID, c.SessionToken)
	f.Add("ASIA", "tarn1.")
	f.Fuzz(func(t *testing.T, id, token string) {
		got, err := a.Session(context.Background(), id, token)
		if err == nil && (id != c.AccessKeyID || token != c.SessionToken) {
			t.Fatalf("%q with %q is %s", id, token, got.Principal.ARN)
		}
	})
}
