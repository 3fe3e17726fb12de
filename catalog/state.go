package catalog

import (
	"context"

	"tarn/fault"
	"tarn/kv"
)

// update changes a data store's row under its lock; a change that returns false writes nothing.
func (c *Catalog) update(ctx context.Context, op, id string, change func(r *row) (bool, error)) (Datastore, error) {
	if !validID(id) {
		return Datastore{}, fault.Wrap(op, notFound(id))
	}
	var after *row
	err := c.system.Update(ctx, [][]byte{rowKey(id)}, func(tx kv.Locked) (*kv.Batch, error) {
		r, err := decodeRow(tx.Values[0], id)
		if err != nil {
			return nil, err
		}
		after = r
		before := r.Status
		write, err := change(r)
		if err != nil || !write {
			return nil, err
		}
		b := new(kv.Batch)
		b.Set(rowKey(id), encode(r))
		if r.Status != before {
			c.tell(b, r)
		}
		return b, nil
	})
	c.forget(id)
	if err != nil {
		return Datastore{}, fault.Wrap(op, err)
	}
	return c.datastore(after), nil
}

// tell lets OnStatus know of a status that is about to be written.
func (c *Catalog) tell(b *kv.Batch, r *row) {
	if c.o.OnStatus != nil {
		c.o.OnStatus(b, c.datastore(r))
	}
}

// Activate makes a CREATING data store ACTIVE; on an ACTIVE one it does nothing; otherwise fault.Conflict.
func (c *Catalog) Activate(ctx context.Context, id string) error {
	const op = "catalog.Activate"
	_, err := c.update(ctx, op, id, func(r *row) (bool, error) {
		if r.Status == Active {
			return false, nil
		}
		if r.Status != Creating {
			return false, inState(op, r, "cannot become ACTIVE")
		}
		r.Status = Active
		return true, nil
	})
	return err
}

// Fail makes a CREATING data store CREATE_FAILED with the reason; on a failed one it does nothing; otherwise
// fault.Conflict.
func (c *Catalog) Fail(ctx context.Context, id, message string, retryable bool) error {
	const op = "catalog.Fail"
	if message == "" {
		message = "The data store could not be created."
	}
	_, err := c.update(ctx, op, id, func(r *row) (bool, error) {
		if r.Status == CreateFailed {
			return false, nil
		}
		if r.Status != Creating {
			return false, inState(op, r, "cannot become CREATE_FAILED")
		}
		r.Status, r.Cause, r.Retryable = CreateFailed, message, retryable
		return true, nil
	})
	return err
}

// Delete makes a data store DELETING, asks for the work that drops its contents, and returns it so. One that is CREATING
// or DELETING is fault.Conflict, one that is DELETED fault.Gone.
func (c *Catalog) Delete(ctx context.Context, id string) (Datastore, error) {
	const op = "catalog.Delete"
	if c.o.Enqueue == nil {
		return Datastore{}, fault.Errorf(fault.Unsupported, op, "This server does not delete data stores.")
	}
	deleting := false
	d, err := c.update(ctx, op, id, func(r *row) (bool, error) {
		switch r.Status {
		case Deleting:
			deleting = true
			return false, inState(op, r, "cannot be deleted now")
		case Creating:
			return false, inState(op, r, "cannot be deleted now")
		case Deleted:
			return false, gone(id)
		}
		r.Status = Deleting
		return true, nil
	})
	ctx = context.WithoutCancel(ctx) // a caller that hangs up leaves nothing halfway
	if deleting {
		if broken := c.enqueue(ctx, DeleteDatastore, id); broken != nil { // the call that made it so may have broken here
			return Datastore{}, fault.Wrap(op, broken)
		}
	}
	if err != nil {
		return Datastore{}, err
	}
	return d, fault.Wrap(op, c.enqueue(ctx, DeleteDatastore, id))
}

// Purge drops the contents of a DELETING data store and makes it DELETED; on a DELETED one it does nothing; otherwise
// fault.Conflict. Work under way in it fails with fault.Gone. It may be repeated until it returns nil.
func (c *Catalog) Purge(ctx context.Context, id string) error {
	const op = "catalog.Purge"
	d, err := c.Describe(ctx, id)
	if err != nil {
		return fault.Wrap(op, err)
	}
	switch d.Status {
	case Deleted:
		return nil
	case Deleting:
	default:
		return fault.Errorf(fault.Conflict, op, "Data store %s is %s, not DELETING.", id, d.Status)
	}
	if err := c.shut(id); err != nil {
		return fault.Wrap(op, err)
	}
	if err := c.engine.Drop(ctx, SpaceName(id)); err != nil {
		return fault.Wrap(op, err)
	}
	_, err = c.update(ctx, op, id, func(r *row) (bool, error) {
		write := r.Status == Deleting
		r.Status = Deleted
		return write, nil
	})
	return err
}

func inState(op string, r *row, cannot string) error {
	return fault.Errorf(fault.Conflict, op, "Data store %s is %s and %s.", r.ID, r.Status, cannot)
}

func gone(id string) error {
	return fault.Errorf(fault.Gone, "catalog", "Data store %s has been deleted.", id)
}
