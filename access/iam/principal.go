package iam

import (
	"strings"

	"tarn/access"
)

// principals is a Principal or NotPrincipal element.
type principals struct {
	not      bool
	everyone bool     // "*"
	accounts []string // 12 digits
	arns     []string // of users, roles and sessions
	services []string
}

// match tells whether the element means p, and how directly. A session is meant by its own ARN, its role's and its
// account's; what a NotPrincipal leaves out must be left out by all of them, as AWS has it.
func (w *principals) match(p *access.Principal) (access.Reach, bool) {
	if !w.not {
		reach := w.reach(p)
		return reach, reach != access.ReachNone
	}
	spared := w.everyone
	switch p.Kind {
	case access.Service:
		spared = spared || has(w.services, p.ARN)
	case access.Root:
		spared = spared || has(w.accounts, p.Account)
	case access.User:
		spared = spared || has(w.accounts, p.Account) && has(w.arns, p.ARN)
	case access.AssumedRole:
		spared = spared || has(w.accounts, p.Account) && has(w.arns, p.RoleARN) && has(w.arns, p.ARN)
	}
	return access.ReachSelf, !spared
}

func (w *principals) reach(p *access.Principal) access.Reach {
	switch {
	case w.everyone:
		return access.ReachSelf
	case p.Kind == access.Anonymous:
		return access.ReachNone
	case p.Kind == access.Service:
		if has(w.services, p.ARN) {
			return access.ReachSelf
		}
		return access.ReachNone
	case has(w.arns, p.ARN):
		return access.ReachSelf
	case p.Kind == access.AssumedRole && has(w.arns, p.RoleARN):
		return access.ReachRole
	case has(w.accounts, p.Account):
		return access.ReachAccount
	}
	return access.ReachNone
}

func has(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return s != ""
		}
	}
	return false
}

// principals compiles the element.
func (c *compiler) principals(n node, kind Kind, not bool) (*principals, error) {
	w := &principals{not: not}
	if n.kind == '"' {
		if n.text != "*" {
			return nil, c.fail(n.at, `expected "*" or an object such as {"AWS": "arn:aws:iam::111122223333:role/name"}`)
		}
		w.everyone = true
	} else if n.kind != '{' || len(n.members) == 0 {
		return nil, c.fail(n.at, `expected "*" or an object such as {"Service": "healthlake.amazonaws.com"}`)
	}
	for _, m := range n.members {
		values, err := c.strings(m.value, m.name)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			problem := ""
			switch m.name {
			case "AWS":
				problem = w.addAWS(v.text)
			case "Service":
				if !strings.Contains(v.text, ".") || strings.ContainsAny(v.text, "*?:/") {
					problem = "expected the name of a service, such as healthlake.amazonaws.com"
				}
				w.services = append(w.services, v.text)
			case "Federated":
				// Understood, but there are no federated principals here: it means nobody.
			case "CanonicalUser":
				problem = "CanonicalUser is not offered: name the account by its 12 digits under AWS"
			default:
				return nil, c.fail(m.at, "unknown kind of principal "+quote(m.name)+"; expected AWS, Service or Federated")
			}
			if problem != "" {
				return nil, c.fail(v.at, problem)
			}
		}
	}
	if not && w.everyone {
		return nil, c.fail(n.at, `NotPrincipal "*" would leave out everybody`)
	}
	return w, nil
}

func (w *principals) addAWS(s string) (problem string) {
	if s == "*" {
		w.everyone = true
		return ""
	}
	if isAccount(s) {
		w.accounts = append(w.accounts, s)
		return ""
	}
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || !strings.HasPrefix(parts[1], "aws") || parts[3] != "" || !isAccount(parts[4]) {
		return `invalid principal: expected "*", the 12 digits of an account, or the ARN of an account's root, a user, a role or a session`
	}
	if strings.ContainsAny(s, "*?") {
		return `invalid principal: an ARN here takes no wildcards; use "*" and a condition on aws:PrincipalArn`
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	switch {
	case parts[2] == "iam" && parts[5] == "root":
		w.accounts = append(w.accounts, parts[4])
	case parts[2] == "iam" && (kind == "user" || kind == "role") && name != "",
		parts[2] == "sts" && kind == "assumed-role" && strings.Contains(name, "/"):
		w.arns = append(w.arns, s)
	default:
		return "invalid principal: expected :root, :user/NAME, :role/NAME or, of sts, :assumed-role/ROLE/SESSION"
	}
	return ""
}

func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
