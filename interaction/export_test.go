package interaction

import (
	"context"
	"time"

	"tarn/store"
)

// SetNow gives the packages a clock.
func (p *Packages) SetNow(now func() time.Time) { p.now = now }

// ExpireForTest removes what is over at a time, as a transaction does that is submitted then.
func (b *Background) ExpireForTest(ctx context.Context, datastore string, now time.Time) error {
	st, err := b.s.datastores.Store(ctx, datastore)
	if err != nil {
		return err
	}
	gone, err := expired(ctx, st, now, func(id string) (bool, error) { return b.over(ctx, datastore, id) })
	if err == nil {
		_, err = st.Commit(ctx, store.Transaction{Riders: gone})
	}
	return err
}
