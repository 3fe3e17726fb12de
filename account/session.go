package account

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"tarn/access"
	"tarn/access/iam"
	"tarn/fault"
)

const (
	sealedToken   = "session-token"
	sessionSecret = "session-secret"
	tokenPrefix   = "tarn1."
	maxToken      = 16 << 10
)

// ticket is a session as its token carries it, sealed: nothing is stored for it, and every process with the same sealer can open it.
type ticket struct {
	Key     string    `json:"k"` // ASIA...
	Kind    Kind      `json:"c,omitempty"`
	Name    string    `json:"n,omitempty"` // of the user or role; empty for the root
	ID      string    `json:"i,omitempty"` // AIDA... or AROA...: a namesake made later is another one
	ARN     string    `json:"a,omitempty"` // of the role
	Session string    `json:"s,omitempty"`
	Source  string    `json:"o,omitempty"` // source identity
	Tags    []Tag     `json:"t,omitempty"`
	Issued  time.Time `json:"b"`
	Expires time.Time `json:"e"`
	Policy  string    `json:"p,omitempty"`
	ARNs    []string  `json:"m,omitempty"` // managed policies that are session policies
}

// Credentials is what a new session gets.
type Credentials struct {
	AccessKeyID  string
	Secret       string
	SessionToken string
	Expires      time.Time
}

// issue seals a ticket.
func (a *Accounts) issue(t *ticket) (Credentials, error) {
	t.Key = newID("ASIA")
	plain, err := json.Marshal(t)
	if err != nil {
		return Credentials{}, fault.Wrap("account.issue", err)
	}
	token := tokenPrefix + base64.RawURLEncoding.EncodeToString(a.sealer.Seal(sealedToken, plain, []byte(a.account)))
	return Credentials{t.Key, a.sessionSecret(t.Key), token, t.Expires}, nil
}

// sessionSecret follows from the key id and the master key, so that it need not stand in the token.
func (a *Accounts) sessionSecret(id string) string {
	return base64.StdEncoding.EncodeToString(a.sealer.Derive(sessionSecret, []byte(id), 30))
}

// session is an opened ticket.
type session struct {
	token      string
	credential access.Credential
	policy     access.Policy // inline session policy, or nil
	arns       []string
}

// Session finds the credential of a session's access key, given its token; fault.NotFound where they do not belong
// together or the token is not ours. Whether its user or role still exists is Grant's to say, and whether it has
// expired is the caller's.
func (a *Accounts) Session(ctx context.Context, accessKeyID, token string) (access.Credential, error) {
	if !isSessionKey(accessKeyID) { // a token that came with a long-term key will be found to be one too many
		return a.Credential(ctx, accessKeyID)
	}
	if s := a.sessions.find(accessKeyID); s != nil && sameToken(s.token, token) {
		a.sessions.keep(accessKeyID, s)
		return s.credential, nil
	}
	s, err := a.open(accessKeyID, token)
	if err != nil {
		return access.Credential{}, err
	}
	a.sessions.keep(accessKeyID, s)
	return s.credential, nil
}

func (a *Accounts) open(accessKeyID, token string) (*session, error) {
	unknown := fault.Errorf(fault.NotFound, "account.Session", "there is no such session")
	text, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok || len(token) > maxToken {
		return nil, unknown
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, unknown
	}
	plain, err := a.sealer.Open(sealedToken, sealed, []byte(a.account))
	if err != nil {
		return nil, unknown
	}
	var t ticket
	if err := json.Unmarshal(plain, &t); err != nil || t.Key != accessKeyID {
		return nil, unknown
	}
	s := &session{token: token, arns: t.ARNs}
	s.credential = access.Credential{Secret: a.sessionSecret(t.Key), SessionToken: token, Expires: t.Expires, Active: true, Principal: a.principal(&t)}
	if t.Policy != "" {
		p, err := iam.Parse(iam.Session, []byte(t.Policy))
		if err != nil {
			return nil, damaged(err, "the session policy of "+accessKeyID)
		}
		s.policy = p.Named("of the session")
	}
	return s, nil
}

// principal is whom a ticket stands for.
func (a *Accounts) principal(t *ticket) access.Principal {
	var p access.Principal
	switch t.Kind {
	case Role:
		p = access.SessionOf(access.Role{ARN: t.ARN, Name: t.Name, ID: t.ID, Account: a.account}, t.Session)
		p.ARN = "arn:" + a.partition + strings.TrimPrefix(p.ARN, "arn:aws")
	case User:
		p = access.Principal{Kind: access.User, Account: a.account, ARN: t.ARN, UserID: t.ID, UserName: t.Name}
	default:
		p = access.RootOf(a.account)
		p.ARN = a.ARN("root")
	}
	p.AccessKeyID, p.Tags, p.TokenIssued, p.SourceIdentity = t.Key, tagMap(t.Tags), t.Issued, t.Source
	return p
}

// sessionPolicies is what narrows a session; nil where nothing does.
func (a *Accounts) sessionPolicies(ctx context.Context, k *cache, accessKeyID string) ([]access.Policy, error) {
	s := a.sessions.find(accessKeyID)
	if s == nil { // what narrows it is unknown, so it may do nothing
		return nil, fault.Errorf(fault.NotFound, "account.Grant", "the session of %s is not known here", accessKeyID)
	}
	if s.policy == nil && len(s.arns) == 0 {
		return nil, nil
	}
	policies := make([]access.Policy, 0, 1+len(s.arns))
	if s.policy != nil {
		policies = append(policies, s.policy)
	}
	err := a.read(ctx, func(r reader) error {
		for _, arn := range s.arns {
			p, err := a.managedPolicy(r, k, arn)
			if err != nil {
				return err
			}
			policies = append(policies, p)
		}
		return nil
	})
	return policies, err
}

func isSessionKey(id string) bool { return strings.HasPrefix(id, "ASIA") }

// perGeneration bounds the opened sessions that are kept: twice as many.
const perGeneration = 8192

// sessions keeps opened tickets in two generations, so that one in use is never dropped between two questions of the
// same request. The zero value is ready.
type sessions struct {
	mu       sync.RWMutex
	new, old map[string]*session
}

func (s *sessions) find(id string) *session {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if found := s.new[id]; found != nil {
		return found
	}
	return s.old[id]
}

// keep puts a session into the newer generation.
func (s *sessions) keep(id string, one *session) {
	s.mu.RLock()
	same := s.new[id] == one
	s.mu.RUnlock()
	if same {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.new == nil || len(s.new) >= perGeneration {
		s.old, s.new = s.new, make(map[string]*session)
	}
	s.new[id] = one
}
