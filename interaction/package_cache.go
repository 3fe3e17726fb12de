package interaction

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tarn/fault"
	"tarn/fhir/profile"
	"tarn/fhir/validate"
	"tarn/store"
)

// packagesFresh is how long a data store's packages are taken to be the same without a look at their rows, which another
// process over them may have changed.
const packagesFresh = time.Second

// packageShelf is the compiled packages of one data store.
type packageShelf struct {
	now   atomic.Pointer[packageSet]
	loads sync.Mutex
}

// packageSet is the packages as of one look at their rows.
type packageSet struct {
	ids     string // of all packages, in their order
	set     validate.Profiles
	checked time.Time
}

// Profiles is the compiled profiles of a data store; nil where no package is installed. A change by this process shows at
// once. One by another process over the same rows shows when a look that begins a second later has read the packages.
func (p *Packages) Profiles(ctx context.Context, datastore string) (validate.Profiles, error) {
	shelf := p.shelf(datastore)
	have := shelf.now.Load()
	if have != nil && p.now().Sub(have.checked) < packagesFresh {
		return have.set, nil
	}
	if have == nil {
		shelf.loads.Lock()
	} else if !shelf.loads.TryLock() {
		return have.set, nil // somebody looks already
	}
	defer shelf.loads.Unlock()
	if newer := shelf.now.Load(); newer != nil && p.now().Sub(newer.checked) < packagesFresh {
		return newer.set, nil
	}
	st, err := p.datastores.Store(ctx, datastore)
	if err != nil {
		p.forget(datastore) // deleted, or on the way to be
		return nil, err
	}
	next, err := p.look(ctx, st, have)
	for again := 0; fault.Is(err, fault.Unavailable) && again < 3; again++ { // packages may change while they are read
		next, err = p.look(ctx, st, have)
	}
	if err != nil {
		return nil, err
	}
	shelf.now.Store(next)
	return next.set, nil
}

// look reads the rows, and the packages too if they are others than before.
func (p *Packages) look(ctx context.Context, st *store.Store, have *packageSet) (*packageSet, error) {
	next := &packageSet{checked: p.now()}
	rows, err := packageRows(ctx, st)
	if err != nil {
		return nil, err
	}
	var ids strings.Builder
	for i := range rows {
		ids.WriteString(rows[i].ID + " ")
	}
	next.ids = ids.String()
	if have != nil && have.ids == next.ids {
		next.set = have.set
		return next, nil
	}
	packages, err := loadPackages(ctx, st, rows)
	if err != nil {
		return nil, err
	}
	if len(packages) > 0 {
		next.set = profile.NewSet(packages...)
	}
	next.checked = p.now()
	return next, nil
}

func (p *Packages) shelf(datastore string) *packageShelf {
	if shelf, ok := p.shelves.Load(datastore); ok {
		return shelf.(*packageShelf)
	}
	shelf, _ := p.shelves.LoadOrStore(datastore, new(packageShelf))
	return shelf.(*packageShelf)
}

// forget lets the next look be a new one.
func (p *Packages) forget(datastore string) { p.shelves.Delete(datastore) }
