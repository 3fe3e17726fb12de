package iam

import (
	"strconv"
	"strings"
)

// compiler turns the tree of a document into a Policy.
type compiler struct {
	doc       []byte
	kind      Kind
	variables bool // the version knows policy variables
}

func (c *compiler) fail(at int, problem string) error { return malformed(c.doc, at, problem) }

func quote(s string) string {
	if len(s) > 64 {
		s = s[:64] + "..."
	}
	return strconv.Quote(s)
}

// The elements of a document and of a statement, in the order in which they are usually written.
var (
	policyElements    = []string{"Version", "Id", "Statement"}
	statementElements = []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)

// elements gives the members of an object by name, and refuses unknown ones.
func (c *compiler) elements(n node, known []string, where string) (map[string]member, error) {
	if n.kind != '{' {
		return nil, c.fail(n.at, where+" must be an object, found "+kindWords[n.kind])
	}
	found := make(map[string]member, len(n.members))
next:
	for _, m := range n.members {
		for _, name := range known {
			if m.name == name {
				found[name] = m
				continue next
			}
		}
		hint := "; expected one of " + strings.Join(known, ", ")
		for _, name := range known {
			if strings.EqualFold(strings.TrimSuffix(m.name, "s"), name) {
				hint = "; did you mean " + quote(name) + "?"
			}
		}
		return nil, c.fail(m.at, "unknown element "+quote(m.name)+hint)
	}
	return found, nil
}

// text is the string of a node.
func (c *compiler) text(n node, name string) (string, error) {
	if n.kind != '"' {
		return "", c.fail(n.at, name+" must be a string, found "+kindWords[n.kind])
	}
	return n.text, nil
}

// strings are the strings of a node: one, or an array of at least one.
func (c *compiler) strings(n node, name string) ([]node, error) {
	list := []node{n}
	if n.kind == '[' {
		list = n.items
	}
	if len(list) == 0 {
		return nil, c.fail(n.at, name+" must not be empty")
	}
	for _, item := range list {
		if _, err := c.text(item, name); err != nil {
			return nil, err
		}
		if item.text == "" {
			return nil, c.fail(item.at, name+" must not be empty")
		}
	}
	return list, nil
}

func (c *compiler) policy(root node) (*Policy, error) {
	found, err := c.elements(root, policyElements, "a policy")
	if err != nil {
		return nil, err
	}
	p := &Policy{kind: c.kind}
	if m, ok := found["Version"]; ok {
		switch v, err := c.text(m.value, "Version"); {
		case err != nil:
			return nil, err
		case v == "2012-10-17":
			c.variables = true
		case v != "2008-10-17":
			return nil, c.fail(m.value.at, `Version must be "2012-10-17" or "2008-10-17"`)
		}
	}
	if m, ok := found["Id"]; ok {
		if p.id, err = c.text(m.value, "Id"); err != nil {
			return nil, err
		}
	}
	m, ok := found["Statement"]
	if !ok {
		return nil, c.fail(root.at, "a policy needs a Statement")
	}
	list := []node{m.value}
	if m.value.kind == '[' {
		list = m.value.items
	}
	if len(list) == 0 {
		return nil, c.fail(m.value.at, "Statement must not be empty")
	}
	sids := map[string]bool{}
	for i, n := range list {
		s, sid, err := c.statement(n, i)
		if err != nil {
			return nil, err
		}
		if sid != "" && sids[sid] {
			return nil, c.fail(n.at, "two statements have the Sid "+quote(sid))
		}
		sids[sid] = true
		p.statements = append(p.statements, s)
	}
	return p, nil
}

func (c *compiler) statement(n node, index int) (s statement, sid string, err error) {
	found, err := c.elements(n, statementElements, "a statement")
	if err != nil {
		return s, "", err
	}
	s.by = "statement " + strconv.Itoa(index+1)
	if m, ok := found["Sid"]; ok {
		if sid, err = c.sid(m.value); err != nil {
			return s, "", err
		}
		if sid != "" {
			s.by = "statement " + sid
		}
	}
	m, ok := found["Effect"]
	if !ok {
		return s, "", c.fail(n.at, "a statement needs an Effect")
	}
	switch m.value.text {
	case "Allow":
	case "Deny":
		s.deny = true
	default:
		return s, "", c.fail(m.value.at, `Effect must be "Allow" or "Deny"`)
	}
	if err := c.who(&s, n, found); err != nil {
		return s, "", err
	}
	if err := c.actions(&s, n, found); err != nil {
		return s, "", err
	}
	if err := c.resources(&s, n, found); err != nil {
		return s, "", err
	}
	if m, ok := found["Condition"]; ok {
		s.conditions, err = c.conditions(m.value)
	}
	return s, sid, err
}

func (c *compiler) sid(n node) (string, error) {
	sid, err := c.text(n, "Sid")
	if err != nil || kinds[c.kind].looseSid {
		return sid, err
	}
	for i := range len(sid) {
		if b := lower(sid[i]); (b < 'a' || b > 'z') && (b < '0' || b > '9') {
			return "", c.fail(n.at, "Sid must be of letters and digits only")
		}
	}
	return sid, nil
}

// either finds an element or its opposite, of which exactly one must be there.
func (c *compiler) either(n node, found map[string]member, name string) (m member, not bool, err error) {
	m, is := found[name]
	opposite, isNot := found["Not"+name]
	switch {
	case is && isNot:
		return m, false, c.fail(opposite.at, "a statement takes "+name+" or Not"+name+", not both")
	case isNot:
		return opposite, true, nil
	case !is:
		return m, false, c.fail(n.at, "a statement of a "+c.kind.String()+" needs "+name+" or Not"+name)
	}
	return m, false, nil
}

func (c *compiler) who(s *statement, n node, found map[string]member) error {
	if !kinds[c.kind].hasPrincipal {
		for _, name := range []string{"Principal", "NotPrincipal"} {
			if m, ok := found[name]; ok {
				return c.fail(m.at, "a "+c.kind.String()+" has no "+name+": it speaks of whom it is attached to")
			}
		}
		return nil
	}
	m, not, err := c.either(n, found, "Principal")
	switch {
	case err != nil:
		return err
	case not && c.kind == Trust:
		return c.fail(m.at, "a trust policy has no NotPrincipal")
	case not && !s.deny:
		return c.fail(m.at, `NotPrincipal goes with "Effect": "Deny" only`)
	}
	s.who, err = c.principals(m.value, c.kind, not)
	return err
}

func (c *compiler) actions(s *statement, n node, found map[string]member) error {
	m, not, err := c.either(n, found, "Action")
	if err != nil {
		return err
	}
	s.notAction = not
	values, err := c.strings(m.value, m.name)
	if err != nil {
		return err
	}
	for _, v := range values {
		if problem := actionProblem(v.text, kinds[c.kind].service); problem != "" {
			return c.fail(v.at, problem)
		}
		s.actions = append(s.actions, compile(v.text, dialect{wildcards: true, fold: true}))
	}
	return nil
}

// actionProblem says what is wrong with an action; service is the only one allowed, or empty.
func actionProblem(action, service string) string {
	if action == "*" && service != "sts" {
		return ""
	}
	vendor, name, ok := strings.Cut(action, ":")
	if !ok {
		return "an action is service:Name, such as healthlake:StartFHIRExportJob; " + quote(action) + " names no service"
	}
	isName := func(s, more string) bool {
		for i := range len(s) {
			if b := lower(s[i]); (b < 'a' || b > 'z') && (b < '0' || b > '9') && strings.IndexByte(more, s[i]) < 0 {
				return false
			}
		}
		return s != ""
	}
	switch {
	case !isName(vendor, "-"):
		return "the service of an action has letters, digits and '-' only: " + quote(action)
	case !isName(name, "*?-_"):
		return "the name of an action has letters, digits, '*' and '?' only: " + quote(action)
	case service != "" && !strings.EqualFold(vendor, service):
		return "the actions here begin with " + service + ": only, found " + quote(action)
	}
	return ""
}

func (c *compiler) resources(s *statement, n node, found map[string]member) error {
	if kinds[c.kind].noResource {
		for _, name := range []string{"Resource", "NotResource"} {
			if m, ok := found[name]; ok {
				return c.fail(m.at, "a "+c.kind.String()+" has no "+name+": it speaks of the role that it belongs to")
			}
		}
		return nil
	}
	m, not, err := c.either(n, found, "Resource")
	if err != nil {
		return err
	}
	s.notResource = not
	values, err := c.strings(m.value, m.name)
	if err != nil {
		return err
	}
	start := kinds[c.kind].resourceStart
	for _, v := range values {
		switch {
		case !isARNPattern(v.text, c.variables):
			return c.fail(v.at, `a resource is "*" or an ARN such as "arn:aws:s3:::bucket/*", found `+quote(v.text))
		case start != "" && !strings.HasPrefix(v.text, start):
			return c.fail(v.at, "a resource here begins with "+start+", found "+quote(v.text))
		}
		s.resources = append(s.resources, compile(v.text, dialect{wildcards: true, variables: c.variables, arn: true}))
	}
	return nil
}

func (c *compiler) conditions(n node) ([]condition, error) {
	if n.kind != '{' {
		return nil, c.fail(n.at, "Condition must be an object, found "+kindWords[n.kind])
	}
	var list []condition
	for _, block := range n.members {
		op, q, ifExists, problem := parseOperator(block.name)
		if problem != "" {
			return nil, c.fail(block.at, problem+": "+quote(block.name))
		}
		if block.value.kind != '{' || len(block.value.members) == 0 {
			return nil, c.fail(block.value.at, block.name+` must be an object such as {"aws:SourceAccount": "111122223333"}`)
		}
		for _, m := range block.value.members {
			if !strings.Contains(m.name, ":") {
				return nil, c.fail(m.at, "a condition key is service:name, such as aws:SourceArn, found "+quote(m.name))
			}
			cond := condition{op: op, quantity: q, ifExists: ifExists, key: strings.ToLower(m.name)}
			values := []node{m.value}
			if m.value.kind == '[' {
				values = m.value.items
			}
			if len(values) == 0 {
				return nil, c.fail(m.value.at, m.name+" needs at least one value")
			}
			for _, v := range values {
				if v.kind != '"' && v.kind != '0' && v.kind != 't' {
					return nil, c.fail(v.at, "a value of a condition must be a string, a number or a boolean, found "+kindWords[v.kind])
				}
				compiled, problem := compileOperand(op, v.text, c.variables)
				if problem != "" {
					return nil, c.fail(v.at, "a value of "+block.name+" "+problem+", found "+quote(v.text))
				}
				cond.values = append(cond.values, compiled)
			}
			list = append(list, cond)
		}
	}
	return list, nil
}
