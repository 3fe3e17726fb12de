package edge

import (
	"context"
	"net"
	"net/http"
	"strings"

	"tarn/access"
	"tarn/access/sigv4"
	"tarn/fault"
)

// Authenticate finds out who signed r for the service, which is the scope's: healthlake, kms, iam, sts, s3. The
// signature stands in the Authorization header or in the query. What it returns is good for this request and one
// goroutine. The body is checked while it is read: see Call.Body. The error is fault.Unauthentic with a *sigv4.Error,
// fault.TooLarge for a body over the limit, or fault.Unavailable; the face writes it.
func (e *Edge) Authenticate(w http.ResponseWriter, r *http.Request, service string) (*Call, error) {
	ctx := r.Context()
	now := e.cfg.Now()
	var dir access.Directory = e.cfg.Directory
	if e.sessions != nil {
		if token := sessionToken(r); token != "" {
			dir = withToken{dir, e.sessions, token}
		}
	}
	t := traceOf(ctx)
	auth, cred, err := e.verifier.Authenticate(ctx, r, dir, e.bodyLimit(r), now)
	if err != nil {
		if t != nil {
			if parsed, bad := sigv4.Parse(r); bad == nil && isKeyID(parsed.AccessKeyID) {
				t.accessKey = parsed.AccessKeyID
			}
		}
		return nil, err
	}
	if t != nil && isKeyID(auth.AccessKeyID) {
		t.accessKey = auth.AccessKeyID
	}
	if auth.Service != service {
		return nil, &fault.Error{Op: "edge.Authenticate", Kind: fault.Unauthentic, Err: &sigv4.Error{Code: sigv4.WrongScope},
			Msg: "Credential should be scoped to correct service: '" + service + "'"}
	}
	cred.Principal.AccessKeyID = auth.AccessKeyID
	grant, err := dir.Grant(ctx, cred.Principal)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			return nil, &fault.Error{Op: "edge.Authenticate", Kind: fault.Unauthentic, Err: &sigv4.Error{Code: sigv4.InvalidClientTokenID},
				Msg: "The security token included in the request is invalid"}
		}
		return nil, err
	}
	return &Call{Principal: cred.Principal, Grant: grant, Body: r.Body, Auth: auth, When: now, Expires: cred.Expires,
		RequestID: RequestID(ctx), edge: e, request: r}, nil
}

// withToken answers for the one session whose token came along.
type withToken struct {
	access.Directory
	sessions Sessions
	token    string
}

func (d withToken) Credential(ctx context.Context, accessKeyID string) (access.Credential, error) {
	return d.sessions.Session(ctx, accessKeyID, d.token)
}

// sessionToken is the token that came along, which sigv4 will demand to be the credential's.
func sessionToken(r *http.Request) string {
	if r.Header.Get("Authorization") != "" {
		return r.Header.Get("X-Amz-Security-Token")
	}
	if !strings.Contains(r.URL.RawQuery, "X-Amz-Security-Token=") {
		return ""
	}
	return r.URL.Query().Get("X-Amz-Security-Token")
}

// sourceIP is the caller's address without port.
func (e *Edge) sourceIP(r *http.Request) string {
	if e.cfg.TrustProxy {
		if lines := r.Header["X-Forwarded-For"]; len(lines) > 0 {
			// The last entry is the one that the trusted proxy wrote; those before it are the caller's own words.
			list := lines[len(lines)-1]
			if i := strings.LastIndexByte(list, ','); i >= 0 {
				list = list[i+1:]
			}
			if ip := net.ParseIP(strings.TrimSpace(list)); ip != nil {
				return ip.String()
			}
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (e *Edge) isSecure(r *http.Request) bool {
	proto := r.Header["X-Forwarded-Proto"]
	return r.TLS != nil || e.cfg.TrustProxy && len(proto) > 0 && strings.EqualFold(proto[len(proto)-1], "https")
}
