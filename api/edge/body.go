package edge

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"tarn/fault"
)

// How long a body may take, so that nobody can hold connections by sending slowly.
const (
	bodyStill = time.Minute     // between two reads
	bodyWhole = 2 * time.Minute // all of it, unless it is an object
	bodyReset = 10 * time.Second
)

// bounded is a body with a limit in bytes and in time. Its errors have kinds: over the limit fault.TooLarge, too slow
// fault.Invalid.
type bounded struct {
	io.ReadCloser
	limit int64
	conn  *http.ResponseController
	set   time.Time // when the deadline was last moved; zero before the first read
	end   time.Time // by then it must be whole; zero where it may take any time
	whole bool
}

func newBounded(w http.ResponseWriter, body io.ReadCloser, limit int64, whole bool) *bounded {
	// One byte more passes, so that whoever counts sees the excess.
	b := &bounded{ReadCloser: http.MaxBytesReader(w, body, limit+1), limit: limit, conn: http.NewResponseController(w), whole: whole}
	// A request may be refused without a look at its body. The server then reads on before it answers, and must not wait
	// for somebody who sends nothing.
	_ = b.conn.SetReadDeadline(time.Now().Add(bodyReset))
	return b
}

// Read reads on, and moves the connection's deadline now and then; at the end it takes it away, since the connection
// is then watched for the caller's going away while the request is being answered.
func (b *bounded) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(b.set) > bodyReset {
		if b.set.IsZero() && b.whole {
			b.end = now.Add(bodyWhole)
		}
		b.set = now
		until := now.Add(bodyStill)
		if b.whole && b.end.Before(until) {
			until = b.end
		}
		_ = b.conn.SetReadDeadline(until) // not every connection has one
	}
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	_ = b.conn.SetReadDeadline(time.Time{})
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return n, tooLarge(b.limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, WithStatus(http.StatusRequestTimeout, fault.Errorf(fault.Invalid, "edge", "the body came too slowly"))
	}
	return n, err
}
