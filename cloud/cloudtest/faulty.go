package cloudtest

import (
	"context"
	"io"
	"sync"

	"tarn/cloud"
	"tarn/fault"
)

// Faulty is a cloud around another one whose puts fail on demand, with fault.Unavailable. It is safe for concurrent use.
type Faulty struct {
	cloud.Cloud
	mu     sync.Mutex
	puts   int
	before int
	after  int
	hook   func(n int, key string) (before, after error)
}

// NewFaulty wraps inner; nothing fails yet.
func NewFaulty(inner cloud.Cloud) *Faulty { return &Faulty{Cloud: inner} }

// FailBefore lets the n-th put from now, counted from 1, fail without having written anything. 0 lets none fail.
func (f *Faulty) FailBefore(n int) { f.set(n, 0, nil) }

// FailAfter lets the n-th put from now, counted from 1, write and then report failure, as a lost answer does.
func (f *Faulty) FailAfter(n int) { f.set(0, n, nil) }

// Hook is asked before each put, with its number from now. An error before is the put's, which then writes nothing; one
// after is what the put tells when it has written. nil asks nobody.
func (f *Faulty) Hook(hook func(n int, key string) (before, after error)) { f.set(0, 0, hook) }

func (f *Faulty) set(before, after int, hook func(int, string) (error, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.puts, f.before, f.after, f.hook = 0, before, after, hook
}

// Puts is how many puts there were since the last FailBefore, FailAfter or Hook.
func (f *Faulty) Puts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.puts
}

// next counts a put and says what will become of it.
func (f *Faulty) next() (n int, before, after bool, hook func(int, string) (error, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.puts++
	return f.puts, f.puts == f.before, f.puts == f.after, f.hook
}

// put does one put with the fault that was asked for.
func (f *Faulty) put(key string, write func() error) error {
	n, before, after, hook := f.next()
	var late error
	if hook != nil {
		var early error
		if early, late = hook(n, key); early != nil {
			return early
		}
	}
	if before {
		return fault.Errorf(fault.Unavailable, "cloudtest.Put", "put %d was made to fail before it wrote", n)
	}
	if after {
		late = fault.Errorf(fault.Unavailable, "cloudtest.Put", "put %d was made to fail after it wrote", n)
	}
	if err := write(); err != nil {
		return err
	}
	return late
}

// Assume implements cloud.Cloud.
func (f *Faulty) Assume(ctx context.Context, a cloud.Assumption) (cloud.Role, error) {
	r, err := f.Cloud.Assume(ctx, a)
	if r == nil {
		return nil, err
	}
	return faultyRole{r, f}, err
}

// Own implements cloud.Cloud.
func (f *Faulty) Own(ctx context.Context) (cloud.OwnBucket, error) {
	b, err := f.Cloud.Own(ctx)
	if err != nil {
		return nil, err
	}
	return faultyOwn{b, f}, nil
}

type faultyRole struct {
	cloud.Role
	f *Faulty
}

// Bucket implements cloud.Role.
func (r faultyRole) Bucket(name string) cloud.Bucket { return faultyBucket{r.Role.Bucket(name), r.f} }

type faultyBucket struct {
	cloud.Bucket
	f *Faulty
}

// Put implements cloud.Bucket.
func (b faultyBucket) Put(ctx context.Context, key string, body io.ReadSeeker, size int64, o cloud.PutOptions) error {
	return b.f.put(key, func() error { return b.Bucket.Put(ctx, key, body, size, o) })
}

type faultyOwn struct {
	cloud.OwnBucket
	f *Faulty
}

// Put implements cloud.OwnBucket.
func (b faultyOwn) Put(ctx context.Context, key string, body io.ReadSeeker, size int64, o cloud.PutOptions) error {
	return b.f.put(key, func() error { return b.OwnBucket.Put(ctx, key, body, size, o) })
}
