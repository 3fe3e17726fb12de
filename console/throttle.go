package console

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	maxFailures = 10               // of one address
	failureTime = 10 * time.Minute // within this time
	maxAddrs    = 4096             // whose failures are remembered; the oldest make room
)

// throttle counts failed sign-ins by the address that they came from.
type throttle struct {
	now func() time.Time
	mu  sync.Mutex
	all map[string]failures
}

type failures struct {
	count int
	since time.Time
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, all: map[string]failures{}}
}

// wait is how long an address has to wait before its next try; 0 is not at all.
func (t *throttle) wait(address string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, ok := t.all[address]
	if left := f.since.Add(failureTime).Sub(t.now()); ok && f.count >= maxFailures && left > 0 {
		return left
	}
	return 0
}

// failed counts a failed try.
func (t *throttle) failed(address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	f, ok := t.all[address]
	if !ok && len(t.all) >= maxAddrs {
		t.makeRoom(now)
	}
	if !ok || now.Sub(f.since) >= failureTime {
		f = failures{since: now}
	}
	f.count++
	t.all[address] = f
}

func (t *throttle) makeRoom(now time.Time) {
	var oldest string
	var when time.Time
	for address, f := range t.all {
		if now.Sub(f.since) >= failureTime {
			delete(t.all, address)
		} else if when.IsZero() || f.since.Before(when) {
			oldest, when = address, f.since
		}
	}
	if len(t.all) >= maxAddrs {
		delete(t.all, oldest)
	}
}

// succeeded forgets the failures of an address.
func (t *throttle) succeeded(address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, address)
}

// address is whom failures are counted for: the browser's address, of IPv6 the network that one customer has.
func (c *Console) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if list := r.Header.Get("X-Forwarded-For"); c.o.TrustProxy && list != "" {
		host = strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:]) // the entry that the proxy wrote
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if network, err := ip.Prefix(64); err == nil {
			return network.String()
		}
	}
	return ip.String()
}
