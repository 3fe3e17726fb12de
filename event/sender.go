package event

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tarn/fault"
)

// Webhook is where events go.
type Webhook struct {
	URL string // http or https
	// Secret, unless empty, signs each request: the header X-Tarn-Signature is "sha256=" and the HMAC-SHA256 of the body
	// in lowercase hexadecimal.
	Secret []byte
	// GiveUpAfter is how old an event may become that the webhook does not take before it is dropped with a line in the log; 0
	// means DefaultGiveUpAfter. A clock that jumps ahead alone drops none: leastFailures come first.
	GiveUpAfter time.Duration
	Client      *http.Client // nil: one with a time limit that follows no redirects
	Log         *slog.Logger // nil: nothing is logged
}

// DefaultGiveUpAfter is how long an event waits for a webhook that does not take it.
const DefaultGiveUpAfter = 24 * time.Hour

const (
	timeout    = 10 * time.Second
	firstPause = time.Second
	maxPause   = 5 * time.Minute
	idlePoll   = 5 * time.Second // for events of other processes, and for batches that were not durable when they kicked
	atOnce     = 64
	// leastFailures is how often in a row the webhook has refused before anything is dropped: more than half an hour.
	leastFailures = 15
)

// Check refuses a webhook that cannot work: fault.Invalid.
func (w Webhook) Check() error {
	u, err := url.Parse(w.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Fragment != "" {
		return fault.Errorf(fault.Invalid, "event", "The webhook's address has a form such as https://example.org/events, without a user.")
	}
	return nil
}

// Sender sends the events of an Outbox to a Webhook. One runs at a time in a process; where several processes share an
// outbox, an event may be sent by each of them.
type Sender struct {
	outbox *Outbox
	hook   Webhook
	sent   *prometheus.CounterVec

	failures int // in a row; Run alone counts
}

// NewSender makes a Sender; Run starts it.
func NewSender(o *Outbox, w Webhook) (*Sender, error) {
	if err := w.Check(); err != nil {
		return nil, err
	}
	if w.GiveUpAfter <= 0 {
		w.GiveUpAfter = DefaultGiveUpAfter
	}
	if w.Client == nil {
		w.Client = &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	return &Sender{outbox: o, hook: w, sent: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tarn", Subsystem: "event",
		Name: "deliveries_total", Help: "Attempts to deliver an event to the webhook, by outcome."}, []string{"outcome"})}, nil
}

// Collectors are the Sender's metrics, to be registered by whoever serves them.
func (s *Sender) Collectors() []prometheus.Collector { return []prometheus.Collector{s.sent} }

// Run sends events, the oldest first, until ctx ends. While the webhook does not take one, those behind it wait.
func (s *Sender) Run(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		rest := time.Duration(0)
		rows, err := s.outbox.oldest(ctx, atOnce)
		if err == nil {
			err = s.deliver(ctx, rows)
		}
		switch {
		case err != nil:
			if ctx.Err() == nil {
				s.hook.Log.Warn("an event was not delivered and is tried again", "in", pause, "error", err)
			}
			rest, pause = pause, min(2*pause, maxPause)
		case len(rows) < atOnce:
			rest, pause = idlePoll, firstPause
		default:
			pause = firstPause
		}
		if rest == 0 {
			continue
		}
		s.wait(ctx, rest, err == nil)
	}
}

// wait pauses; a new event ends the pause of an idle sender.
func (s *Sender) wait(ctx context.Context, pause time.Duration, idle bool) {
	kick := s.outbox.kick
	if !idle {
		kick = nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-kick:
		timer.Reset(100 * time.Millisecond) // until the batch is durable
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
}

// deliver sends rows one after the other, and forgets each that was taken, or is too old to be tried again.
func (s *Sender) deliver(ctx context.Context, rows []waiting) error {
	for _, row := range rows {
		err := s.post(ctx, row.body)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			s.sent.WithLabelValues("refused").Inc()
			s.failures++
			if s.failures < leastFailures || s.outbox.now().Sub(bornAt(row.key)) < s.hook.GiveUpAfter {
				return err
			}
			s.sent.WithLabelValues("given up").Inc()
			s.hook.Log.Error("an event was not delivered in time and is dropped", "event", string(row.key), "error", err)
		} else {
			s.sent.WithLabelValues("taken").Inc()
			s.failures = 0
		}
		if err := s.outbox.forget(ctx, row.key); err != nil {
			return err
		}
	}
	return nil
}

// bornAt is the time in an event's key.
func bornAt(key []byte) time.Time {
	var ms int64
	_, _ = fmt.Sscanf(string(key[len(prefix):]), "%016x", &ms)
	return time.UnixMilli(ms)
}

// post sends one event in CloudEvents' structured mode; any 2xx takes it.
func (s *Sender) post(ctx context.Context, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.hook.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	r.Header.Set("User-Agent", "tarn")
	if len(s.hook.Secret) > 0 {
		mac := hmac.New(sha256.New, s.hook.Secret)
		mac.Write(body)
		r.Header.Set("X-Tarn-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	resp, err := s.hook.Client.Do(r)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err // without the address, which may hold a secret
		}
		return err
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	_ = resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("the webhook answered %s", resp.Status)
	}
	return nil
}
