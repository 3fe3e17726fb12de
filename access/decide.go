package access

import "strings"

// Decide says whether r may be done, by the rules for most resources: an explicit deny anywhere wins; then it is allowed
// by the principal's own policies, or, within one account, by the policy of the resource alone; across accounts both
// must allow it. Boundary and session policies narrow what the principal's own policies give. The root user is allowed
// unless the policy of the resource denies. Services and nobody have only what the policy of the resource gives them.
// resource is nil where the resource has no policy.
func Decide(r *Request, g Grant, resource Policy) Decision { return decide(r, g, resource, false) }

// DecideGated says whether r may be done where the policy of the resource is the gate, without which nobody comes in,
// not even the root user: KMS keys, and roles that are to be assumed (resource is the trust policy). What names the
// principal lets it in; what names its account leaves it to the principal's own policies.
func DecideGated(r *Request, g Grant, resource Policy) Decision { return decide(r, g, resource, true) }

func decide(r *Request, g Grant, resource Policy, gated bool) Decision {
	var res Decision
	if resource != nil {
		res = resource.Evaluate(r)
	}
	res.Source = FromResource
	if res.Effect == ExplicitDeny && !isWayOut(r) {
		return res
	}
	switch r.Principal.Kind {
	case Root:
		if gated || !r.sameAccount() {
			return res
		}
		return Decision{Effect: Allow, Source: FromRoot, By: "root user"}
	case User, AssumedRole:
		return combine(r, g, res, gated)
	}
	return res
}

// isWayOut is the rule by which the root user can always mend a policy that locks everybody out of a bucket.
func isWayOut(r *Request) bool {
	return r.Principal.Kind == Root && r.sameAccount() &&
		(strings.EqualFold(r.Action, "s3:GetBucketPolicy") || strings.EqualFold(r.Action, "s3:PutBucketPolicy") ||
			strings.EqualFold(r.Action, "s3:DeleteBucketPolicy"))
}

// combine joins the principal's own rights with what the resource says; res is no explicit deny.
func combine(r *Request, g Grant, res Decision, gated bool) Decision {
	own := union(r, g.Identity, FromIdentity)
	if own.Effect == ExplicitDeny {
		return own
	}
	limit := Decision{Effect: Allow} // what boundary and session policies together say
	if g.Session != nil {
		if d := union(r, g.Session, FromSession); !d.Allowed() {
			limit = d
		}
	}
	if limit.Effect != ExplicitDeny && g.Boundary != nil {
		if d := g.Boundary.Evaluate(r); d.Effect == ExplicitDeny || !d.Allowed() && limit.Allowed() {
			limit = d
			limit.Source = FromBoundary
		}
	}
	if limit.Effect == ExplicitDeny {
		return limit
	}
	if own.Allowed() && !limit.Allowed() {
		own = limit
	}
	switch {
	case !r.sameAccount():
		if own.Allowed() {
			return res
		}
		return own
	case res.Allowed() && res.Reach == ReachSelf:
		return res
	case res.Allowed() && res.Reach == ReachRole:
		if limit.Allowed() {
			return res
		}
		return limit
	case gated && !res.Allowed():
		return res
	}
	return own
}

// union is what several policies say together: the first explicit deny, else the first allow.
func union(r *Request, policies []Policy, source Source) Decision {
	sum := Decision{Source: source}
	for _, p := range policies {
		d := p.Evaluate(r)
		d.Source = source
		if d.Effect == ExplicitDeny {
			return d
		}
		if d.Allowed() && !sum.Allowed() {
			sum = d
		}
	}
	return sum
}
