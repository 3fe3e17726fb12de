package sigv4

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tarn/access"
	"tarn/fault"
)

// Verifier verifies signatures. It is safe for concurrent use; make one per process, for it keeps derived keys.
type Verifier struct {
	region   string
	services []string
	keys     keys
	rooms    sync.Pool // *[]byte, for canonical requests
}

// New makes a Verifier for one region and the services whose scopes it takes. An empty region takes any, no services
// mean any. IAM and STS, which are global, are also taken under us-east-1.
func New(region string, services ...string) *Verifier {
	return &Verifier{region: region, services: services}
}

// Authenticate finds out who signed r: Parse, the directory's word on the access key, Buffer where the signature needs
// the body (no more than maxBody bytes of it), Verify. After it r.Body is checked while it is read: reading fails where
// the body is not what was signed, and an aws-chunked body is read decoded. The error for an unknown key is the same as
// for an inactive one and for a wrong session token.
func (v *Verifier) Authenticate(ctx context.Context, r *http.Request, dir access.Directory, maxBody int64, now time.Time) (*Authorization, access.Credential, error) {
	a, err := Parse(r)
	if err != nil {
		return nil, access.Credential{}, err
	}
	cred, err := dir.Credential(ctx, a.AccessKeyID)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, access.Credential{}, refuseKey()
	case err != nil:
		return nil, access.Credential{}, fault.Wrap(op, err)
	case !cred.Active || subtle.ConstantTimeCompare([]byte(cred.SessionToken), []byte(a.Token)) != 1:
		return nil, access.Credential{}, refuseKey()
	}
	// Times and scope need no secret, and an old request need not have its body read.
	if err := v.check(a, now); err != nil {
		return nil, access.Credential{}, err
	}
	if err := a.Buffer(r, maxBody); err != nil {
		return nil, access.Credential{}, err
	}
	if err := v.Verify(r, a, cred.Secret, now); err != nil {
		return nil, access.Credential{}, err
	}
	if cred.Expired(now) {
		return nil, access.Credential{}, refuse(ExpiredToken, "The security token included in the request is expired")
	}
	r.Body = a.Body(r)
	return a, cred, nil
}

func refuseKey() error {
	return fault.WithHint(refuse(InvalidClientTokenID, "The security token included in the request is invalid"),
		"check the access key id, that it is active, and that the session token comes with it")
}

// Verify checks that r was signed with secret, at a time that is near now, for this region and service, and that all
// that matters in r is part of the signature. The body is not read: see Body. A request whose body must be known first
// (NeedsBody) is refused until Buffer has been called.
func (v *Verifier) Verify(r *http.Request, a *Authorization, secret string, now time.Time) error {
	if err := v.check(a, now); err != nil {
		return err
	}
	if err := allSigned(r, a); err != nil {
		return err
	}
	if a.NeedsBody() {
		return fault.Errorf(fault.Internal, op, "the body must be buffered before this signature is verified")
	}
	key := v.keys.find(a, secret)
	scope := a.Scope()
	room, _ := v.rooms.Get().(*[]byte)
	if room == nil {
		room = new([]byte)
	}
	defer v.rooms.Put(room)
	matches := func(path, query string) bool {
		*room = canonical((*room)[:0], r, path, query, a.SignedHeaders, a.PayloadHash)
		want := sign(&key, a.amzDate, scope, *room)
		return subtle.ConstantTimeCompare(want[:], []byte(a.Signature)) == 1
	}
	if !matchesAny(r, a.Service == "s3", matches) {
		return fault.WithHint(refuse(SignatureDoesNotMatch, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."),
			"a proxy that changes the Host header, the path or a signed header also breaks a signature")
	}
	a.key, a.ready = key, true
	return nil
}

// matchesAny tries AWS's form of path and query, and then those of other signers, which mean the same request.
func matchesAny(r *http.Request, s3 bool, matches func(path, query string) bool) bool {
	sent := r.URL.EscapedPath()
	path, query := canonicalPath(sent, s3), canonicalQuery(r.URL.RawQuery, escapedFirst)
	if matches(path, query) {
		return true
	}
	queries := otherQueries(r.URL.RawQuery)
	for _, q := range queries {
		if matches(path, q) {
			return true
		}
	}
	for _, p := range otherPaths(sent, s3) {
		for _, q := range append(queries, query) {
			if matches(p, q) {
				return true
			}
		}
	}
	return false
}

// check holds the scope against the verifier's and the times against now.
func (v *Verifier) check(a *Authorization, now time.Time) error {
	if len(v.services) > 0 && !slices.Contains(v.services, a.Service) {
		return refuse(WrongScope, "Credential should be scoped to correct service: %s is not served here", brief(a.Service))
	}
	global := a.Region == "us-east-1" && (a.Service == "iam" || a.Service == "sts")
	if v.region != "" && a.Region != v.region && !global {
		return fault.WithHint(refuse(WrongScope, "The authorization header is malformed; the region '%s' is wrong; expecting '%s'", brief(a.Region), v.region),
			"set the client's region to %s", v.region)
	}
	skew := now.Sub(a.Time)
	const clock = "20060102T150405Z"
	switch {
	case skew < -MaxSkew:
		return late(refuse(RequestTimeTooSkewed, "Signature not yet current: %s is still later than %s (%s + 15 min.)", a.amzDate, now.Add(MaxSkew).UTC().Format(clock), now.UTC().Format(clock)))
	case a.Presigned && skew > a.Expires:
		return refuse(RequestExpired, "Request has expired: it was signed at %s for %d seconds", a.amzDate, a.Expires/time.Second)
	case !a.Presigned && skew > MaxSkew:
		return late(refuse(RequestTimeTooSkewed, "Signature expired: %s is now earlier than %s (%s - 15 min.)", a.amzDate, now.Add(-MaxSkew).UTC().Format(clock), now.UTC().Format(clock)))
	}
	return nil
}

func late(err error) error {
	return fault.WithHint(err, "set the clock of the client, or of this server, right")
}

// allSigned refuses x-amz- headers that are not part of the signature: whoever carries the request could have added
// them. x-amz-content-sha256 signs itself, as the last line of the canonical request. One that stands there several
// times is refused too, unless it is a list: the signature holds for all of its values joined by commas, so that whoever
// carries the request could have cut one value in two, of which only the first would count.
func allSigned(r *http.Request, a *Authorization) error {
	for name, values := range r.Header {
		if len(name) < 6 || !strings.EqualFold(name[:6], "x-amz-") || name == "X-Amz-Content-Sha256" {
			continue
		}
		if len(values) > 1 && !isList(name) {
			return refuse(IncompleteSignature, "there are %d %s headers", len(values), brief(strings.ToLower(name)))
		}
		found := false
		for _, s := range a.SignedHeaders {
			if strings.EqualFold(s, name) {
				found = true
				break
			}
		}
		if !found {
			return refuse(HeadersNotSigned, "There were headers present in the request which were not signed: %s", brief(strings.ToLower(name)))
		}
	}
	return nil
}

// isList reports whether an x-amz- header's values count together, however many lines they stand in.
func isList(name string) bool {
	const meta = "x-amz-meta-"
	return len(name) > len(meta) && strings.EqualFold(name[:len(meta)], meta) ||
		strings.EqualFold(name, "x-amz-object-attributes") || strings.EqualFold(name, "x-amz-trailer")
}

// maxKeys bounds the derived keys that are kept; one is good for an access key, region and service, and a day.
const maxKeys = 4096

// keys keeps derived keys. The zero value is ready.
type keys struct {
	mu   sync.RWMutex
	kept map[keyName]derived
}

type keyName struct{ accessKeyID, date, region, service string }

type derived struct {
	secret [32]byte // SHA-256 of the secret that it was made of, for a key id may get another one
	key    [32]byte
}

func (k *keys) find(a *Authorization, secret string) [32]byte {
	name := keyName{a.AccessKeyID, a.Date, a.Region, a.Service}
	digest := sha256.Sum256([]byte(secret))
	k.mu.RLock()
	d, ok := k.kept[name]
	k.mu.RUnlock()
	if ok && d.secret == digest {
		return d.key
	}
	d = derived{digest, derive(secret, a.Date, a.Region, a.Service)}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil {
		k.kept = make(map[keyName]derived)
	}
	if len(k.kept) >= maxKeys {
		for old := range k.kept { // those of other days first; one more if there are none
			if old.date != a.Date {
				delete(k.kept, old)
			}
		}
		for old := range k.kept {
			if len(k.kept) < maxKeys {
				break
			}
			delete(k.kept, old)
		}
	}
	k.kept[name] = d
	return d.key
}
