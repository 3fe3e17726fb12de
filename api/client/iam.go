package client

import (
	"context"
	"net/url"
	"time"
)

// Role is one IAM role.
type Role struct {
	RoleName string
	Arn      string
}

// IAM calls an operation of Identity and Access Management; out takes the XML of the answer.
func (c *Client) IAM(ctx context.Context, action string, params url.Values, out any) error {
	return c.asked(ctx, "iam", "2010-05-08", action, params, out)
}

// CreateRole makes a role with a trust policy.
func (c *Client) CreateRole(ctx context.Context, name, trust string) (Role, error) {
	var out struct {
		Role Role `xml:"CreateRoleResult>Role"`
	}
	err := c.IAM(ctx, "CreateRole", url.Values{"RoleName": {name}, "AssumeRolePolicyDocument": {trust}}, &out)
	return out.Role, err
}

// GetRole is one role by its name.
func (c *Client) GetRole(ctx context.Context, name string) (Role, error) {
	var out struct {
		Role Role `xml:"GetRoleResult>Role"`
	}
	err := c.IAM(ctx, "GetRole", url.Values{"RoleName": {name}}, &out)
	return out.Role, err
}

// ListRoles is all roles of the account.
func (c *Client) ListRoles(ctx context.Context) ([]Role, error) {
	var roles []Role
	params := url.Values{}
	for {
		var out struct {
			Roles       []Role `xml:"ListRolesResult>Roles>member"`
			IsTruncated bool   `xml:"ListRolesResult>IsTruncated"`
			Marker      string `xml:"ListRolesResult>Marker"`
		}
		if err := c.IAM(ctx, "ListRoles", params, &out); err != nil {
			return nil, err
		}
		roles = append(roles, out.Roles...)
		if !out.IsTruncated || out.Marker == "" {
			return roles, nil
		}
		params = url.Values{"Marker": {out.Marker}}
	}
}

// CreatePolicy makes a customer managed policy and gives its ARN.
func (c *Client) CreatePolicy(ctx context.Context, name, document string) (arn string, err error) {
	var out struct {
		Arn string `xml:"CreatePolicyResult>Policy>Arn"`
	}
	err = c.IAM(ctx, "CreatePolicy", url.Values{"PolicyName": {name}, "PolicyDocument": {document}}, &out)
	return out.Arn, err
}

// AttachRolePolicy gives a role a managed policy.
func (c *Client) AttachRolePolicy(ctx context.Context, role, policyARN string) error {
	return c.IAM(ctx, "AttachRolePolicy", url.Values{"RoleName": {role}, "PolicyArn": {policyARN}}, nil)
}

// Identity is who the caller is.
type Identity struct{ Account, Arn, UserId string }

// CallerIdentity asks the server who signs.
func (c *Client) CallerIdentity(ctx context.Context) (Identity, error) {
	var out struct {
		Identity Identity `xml:"GetCallerIdentityResult"`
	}
	err := c.asked(ctx, "sts", "2011-06-15", "GetCallerIdentity", nil, &out)
	return out.Identity, err
}

// Session trades the caller's long-term key for a session.
func (c *Client) Session(ctx context.Context) (cred Credentials, expires time.Time, err error) {
	var out struct {
		Credentials struct {
			AccessKeyId, SecretAccessKey, SessionToken string
			Expiration                                 time.Time
		} `xml:"GetSessionTokenResult>Credentials"`
	}
	err = c.asked(ctx, "sts", "2011-06-15", "GetSessionToken", nil, &out)
	s := out.Credentials
	return Credentials{s.AccessKeyId, s.SecretAccessKey, s.SessionToken}, s.Expiration, err
}

// PutRolePolicy gives a role a policy of its own, in place of one of that name.
func (c *Client) PutRolePolicy(ctx context.Context, role, name, document string) error {
	return c.IAM(ctx, "PutRolePolicy", url.Values{"RoleName": {role}, "PolicyName": {name}, "PolicyDocument": {document}}, nil)
}
