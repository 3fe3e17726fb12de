package console

import (
	"time"

	"tarn/api/client"
)

// Doors for the tests of this package.

var (
	OwnPath        = ownPath
	FormatBytes    = formatBytes
	FormatCount    = formatCount
	FormatDuration = formatDuration
	Tone           = tone
)

// Limits of what is remembered.
const (
	MaxSessions = maxSessions
	MaxAddrs    = maxAddrs
	MaxFailures = maxFailures
	IdleTime    = idleTime
	FailureTime = failureTime
)

// Routes are the rows of the table: pattern, and whether it is open.
func Routes() (rows []struct {
	Pattern string
	Open    bool
}) {
	for _, r := range routes {
		rows = append(rows, struct {
			Pattern string
			Open    bool
		}{r.pattern, r.open})
	}
	return rows
}

// AddSession signs somebody in without asking anybody.
func (c *Console) AddSession(expires time.Time) (cookie string) {
	api, _ := c.client(client.Credentials{})
	return c.sessions.add(session{api: api, expires: expires})
}

// Remembered is how many sessions and failing addresses are kept.
func (c *Console) Remembered() (sessions, addresses int) {
	return len(c.sessions.all), len(c.failures.all)
}

// Failed counts a failed sign-in.
func (c *Console) Failed(address string) { c.failures.failed(address) }
