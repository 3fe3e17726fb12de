package account

import (
	"context"
	"time"

	"tarn/access/iam"
)

// Bounds of how long a role's sessions may live.
const (
	minMaxSession = time.Hour
	maxMaxSession = 12 * time.Hour
)

func checkMaxSession(d time.Duration) error {
	if d < minMaxSession || d > maxMaxSession {
		return invalid("1 validation error detected: Value '%d' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between %d and %d",
			int64(d/time.Second), int64(minMaxSession/time.Second), int64(maxMaxSession/time.Second))
	}
	return nil
}

// UpdateTrust replaces a role's trust policy (UpdateAssumeRolePolicy). Sessions that exist go on.
func (a *Accounts) UpdateTrust(ctx context.Context, role, document string) error {
	if _, err := compile(iam.Trust, document); err != nil {
		return err
	}
	return a.change(ctx, "account.UpdateTrust", Holder{Role, role}, func(_ *change, e *Entity) error {
		e.Role.Trust = document
		return nil
	})
}

// UpdateRole changes a role's description and how long its sessions may live; nil leaves the one, 0 the other.
func (a *Accounts) UpdateRole(ctx context.Context, role string, description *string, maxSession time.Duration) (updated *Entity, err error) {
	if description != nil {
		if err := checkText("description", *description); err != nil {
			return nil, err
		}
	}
	if maxSession != 0 {
		if err := checkMaxSession(maxSession); err != nil {
			return nil, err
		}
	}
	err = a.change(ctx, "account.UpdateRole", Holder{Role, role}, func(_ *change, e *Entity) error {
		if description != nil {
			e.Role.Description = *description
		}
		if maxSession != 0 {
			e.Role.MaxSession = maxSession
		}
		updated = e
		return nil
	})
	return updated, err
}
