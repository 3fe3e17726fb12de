package console

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"tarn/api/client"
)

const (
	sessionCookie = "tarn-console"
	maxSessions   = 1000             // in memory at once; the one that was used least recently makes room
	idleTime      = 30 * time.Minute // after which a session that nobody uses ends
)

// session is one person signed in. Nothing in it changes but used, which its sessions guard.
type session struct {
	csrf    string
	api     *client.Client
	who     client.Identity
	expires time.Time
	used    time.Time
}

// sessions keeps who is signed in: in memory alone, so that a restart signs everybody out.
type sessions struct {
	now func() time.Time
	mu  sync.Mutex
	all map[[32]byte]*session // by the SHA-256 of the cookie, so that a look-up tells nothing by its time
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, all: map[[32]byte]*session{}}
}

// random is 256 random bits in letters that a cookie may hold.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// add keeps a session and gives the cookie that finds it.
func (s *sessions) add(n session) (cookie string) {
	cookie = random()
	n.csrf = random()
	s.mu.Lock()
	defer s.mu.Unlock()
	n.used = s.now()
	if len(s.all) >= maxSessions {
		s.makeRoom()
	}
	s.all[sha256.Sum256([]byte(cookie))] = &n
	return cookie
}

// makeRoom drops what is over, or else what was used least recently.
func (s *sessions) makeRoom() {
	var oldest [32]byte
	var when time.Time
	for id, one := range s.all {
		if s.over(one) {
			delete(s.all, id)
		} else if when.IsZero() || one.used.Before(when) {
			oldest, when = id, one.used
		}
	}
	if len(s.all) >= maxSessions {
		delete(s.all, oldest)
	}
}

func (s *sessions) over(one *session) bool {
	now := s.now()
	return !now.Before(one.expires) || now.Sub(one.used) >= idleTime
}

// find is the session of a cookie, or nil; active says that a person uses it now.
func (s *sessions) find(cookie string, active bool) *session {
	id := sha256.Sum256([]byte(cookie))
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[id]
	if one == nil {
		return nil
	}
	if s.over(one) {
		delete(s.all, id)
		return nil
	}
	if active {
		one.used = s.now()
	}
	return one
}

// remove ends a session.
func (s *sessions) remove(cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, sha256.Sum256([]byte(cookie)))
}
