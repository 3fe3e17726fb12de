package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/api/client"
	"tarn/fault"
)

// quiet is a screen that is no terminal.
func quiet() (s *screen, out, log *bytes.Buffer) {
	out, log = &bytes.Buffer{}, &bytes.Buffer{}
	return &screen{in: strings.NewReader(""), out: out, err: log, plain: true}, out, log
}

// answering is a client of a server that does as the handler does.
func answering(t *testing.T, h http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := client.New(client.Config{Endpoint: server.URL, Region: "us-east-1", Credentials: client.Credentials{AccessKeyID: "A", Secret: "s"}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const someID = "0123456789abcdef0123456789abcdef"

func TestWait_interruptedSaysThatTheJobGoesOn(t *testing.T) {
	t.Parallel()
	for kind, wait := range map[string]func(ctx context.Context, s *screen, c *client.Client) error{
		"export": func(ctx context.Context, s *screen, c *client.Client) error {
			_, err := waitExport(ctx, s, c, someID, someID, (&remote{DataDir: "/data dir"}).goesOn(someID, someID))
			return err
		},
		"import": func(ctx context.Context, s *screen, c *client.Client) error {
			_, err := waitImport(ctx, s, c, someID, someID, (&remote{DataDir: "/data dir"}).goesOn(someID, someID), 0)
			return err
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			ctx, interrupt := context.WithCancel(t.Context())
			asked := 0
			c := answering(t, func(w http.ResponseWriter, r *http.Request) {
				if asked++; asked == 3 {
					interrupt()
				}
				_, _ = w.Write([]byte(`{"jobStatus":"IN_PROGRESS","ImportJobProperties":{"JobStatus":"IN_PROGRESS"}}`))
			})
			s, _, log := quiet()
			err := wait(ctx, s, c)
			if !errors.Is(err, errInterrupted) || exitCode(err) != exitInterrupted {
				t.Errorf("ended with %v", err)
			}
			if want := "tarn jobs watch " + someID + " --datastore " + someID + " --data-dir '/data dir'"; !strings.Contains(log.String(), "goes on") || !strings.Contains(log.String(), want) {
				t.Errorf("it said %q, without %q", log, want)
			}
		})
	}
}

func TestWait_endsWithTheJob(t *testing.T) {
	t.Parallel()
	states := []string{"SUBMITTED", "QUEUED", "IN_PROGRESS", "CANCEL_IN_PROGRESS", "CANCEL_COMPLETED"}
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"jobStatus":"` + states[0] + `"}`))
		states = states[1:]
	})
	s, out, log := quiet()
	p, err := waitExport(t.Context(), s, c, someID, someID, advice{})
	if err != nil || p.JobStatus != "CANCEL_COMPLETED" {
		t.Errorf("ended with %v, %v", p, err)
	}
	if out.Len()+log.Len() > 0 {
		t.Errorf("a short wait is no reason to say %q", log)
	}
}

func TestBar_tellsProgressNowAndThenWithoutATerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _, log := quiet()
		b := s.newBar("Exporting", 0, unitThings)
		for i := range int64(12) {
			time.Sleep(time.Second)
			b.set(i*1000, 12000)
		}
		b.relabel("Waiting in the queue")
		time.Sleep(plainEvery)
		b.set(0, 0)
		time.Sleep(plainEvery)
		b.set(7, 0)
		b.end()
		if want := "Exporting: 4,000 of 12,000\nExporting: 9,000 of 12,000\nWaiting in the queue\nWaiting in the queue: 7\n"; log.String() != want {
			t.Errorf("it said %q, want %q", log, want)
		}
	})
}

func TestBar_isGoneFromATerminalWhenItHasEnded(t *testing.T) {
	t.Parallel()
	s, _, log := quiet()
	s.live = true
	b := s.newBar("Exporting", 10, unitThings)
	b.set(5, 10)
	b.relabel("Cancelling")
	b.end()
	b.end() // twice does no harm
	if strings.Contains(log.String(), "done") {
		t.Errorf("a line is left: %q", log)
	}
}

func TestWait_serverThatGoesAwayIsUnreachable(t *testing.T) {
	t.Parallel()
	c := answering(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	s, _, _ := quiet()
	_, err := waitExport(t.Context(), s, c, someID, someID, (&remote{}).goesOn(someID, someID))
	if exitCode(err) != exitUnreachable {
		t.Errorf("ended with %v, code %d", err, exitCode(err))
	}
	if hint := hintOf(err); !strings.Contains(hint, "goes on") || !strings.Contains(hint, "tarn jobs watch "+someID) {
		t.Errorf("the advice is %q", hint)
	}
}

func TestExitCode_isOneForEachKindOfFailure(t *testing.T) {
	t.Parallel()
	of := func(kind fault.Kind) error { return fault.Errorf(kind, "op", "A sentence.") }
	for name, test := range map[string]struct {
		err  error
		code int
	}{
		"none": {nil, 0}, "reported": {errReported, 1}, "foreign": {errors.New("disk on fire"), 1}, "not found": {of(fault.NotFound), 1},
		"refused by the server": {of(fault.Invalid), 1}, "command line": {usagef("hint", "Wrong."), 2}, "no server": {of(fault.Unavailable), 3},
		"denied": {of(fault.Denied), 4}, "unknown caller": {of(fault.Unauthentic), 4}, "in use": {&inUse{of(fault.Conflict)}, 5},
		"local": {&failedLocally{of(fault.Unavailable)}, 1}, "interrupted": {errInterrupted, 130}, "cancelled": {context.Canceled, 130},
	} {
		s, out, log := quiet()
		if code := s.fail(test.err); code != test.code {
			t.Errorf("%s: code %d, want %d", name, code, test.code)
		}
		if out.Len() > 0 {
			t.Errorf("%s: printed %q on standard output", name, out)
		}
		if silent := test.err == nil || errors.Is(test.err, errReported) || errors.Is(test.err, errInterrupted); silent != (log.Len() == 0) {
			t.Errorf("%s: said %q", name, log)
		}
	}
}

func TestHint_fitsWhatTheServerRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ code, message, want string }{
		{"InvalidSignatureException", "The request signature we calculated does not match the signature you provided.", "not of this server"},
		{"UnrecognizedClientException", "The security token included in the request is invalid", "not of this server"},
		{"InvalidSignatureException", "the region 'eu-west-1' is wrong; expecting 'us-east-1'", "--region"},
		{"InvalidSignatureException", "Signature expired: 1 is now earlier than 2 (set the clock right)", ""},
		{"InvalidSignatureException", "Signature not yet current: 1 is still later than 2 (set the clock right)", ""},
		{"ValidationException", "Anything.", ""},
	} {
		if got := hintOf(&client.Error{Status: 403, Code: test.code, Message: test.message}); test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q", test.message, got)
		}
	}
	for text, want := range map[string]string{"": "", "there is no Patient/1": "There is no Patient/1", "arn:aws:x is disabled": "arn:aws:x is disabled", "s3:PutObject is denied": "s3:PutObject is denied"} {
		if got := capital(text); got != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func TestDemo_interruptedAdvisesToRunItAgain(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	s, _, log := quiet()
	if err := interrupted(ctx, s, ctx.Err(), demoAdvice()); !errors.Is(err, errInterrupted) || log.String() != "\nStopped. Run the demo again: it goes on with the same data store.\n" {
		t.Errorf("%v: %q", err, log)
	}
}
