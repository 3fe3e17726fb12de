package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"tarn/fault"
)

// SQLSTATEs that we branch on.
const (
	undefinedTable       = "42P01"
	lockTimeout          = "55P03"
	deadlock             = "40P01"
	serializationFailure = "40001"
)

func errGone(op string) error {
	return fault.Errorf(fault.Gone, op, "the space has been dropped or closed")
}

func isState(err error, states ...string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && slices.Contains(states, pg.Code)
}

// translate gives an error of the server or of the connection its kind; ours and the context's pass as they are. What
// the server says about single rows (its detail) is left out, since it may carry their contents.
func translate(op string, err error) error {
	var ours *fault.Error
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return err
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case !errors.As(err, &pg):
		return fault.Errorf(fault.Unavailable, op, "the database cannot be reached: %w", err)
	case pg.Code == undefinedTable:
		return errGone(op)
	case strings.HasPrefix(pg.Code, "28"):
		return fault.WithHint(fault.Errorf(fault.Unavailable, op, "the database refuses the login: %w", err),
			"check user and password in the database URL")
	case strings.HasPrefix(pg.Code, "XX"), strings.HasPrefix(pg.Code, "42"), strings.HasPrefix(pg.Code, "22"), strings.HasPrefix(pg.Code, "23"):
		return fault.Errorf(fault.Internal, op, "the database answered %s: %w", pg.Code, err)
	default:
		return fault.Errorf(fault.Unavailable, op, "the database answered %s: %w", pg.Code, err)
	}
}
