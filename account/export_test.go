package account

import "time"

// LookNow lets the next question look for writes of other nodes, as after a second.
func (a *Accounts) LookNow() { a.cache.Load().checked.Store(int64(time.Since(born) - 2*recheck)) }

// KeepSession keeps a dummy session, to crowd out others.
func (a *Accounts) KeepSession(id string) { a.sessions.keep(id, &session{}) }

// PerGeneration is the size of one generation of sessions.
const PerGeneration = perGeneration
