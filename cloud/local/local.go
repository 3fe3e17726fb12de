// Package local is the embedded cloud: buckets, objects and KMS keys of one account in one Region, behind the policies of
// their owners. It is no mock. Each object lies on disk encrypted (AES-256-GCM) under a data key of its own, which is
// wrapped by the KMS key that the put named; key material is sealed under a master key. Buckets, objects' records, keys
// and aliases live in kv; only bodies are files.
//
// A body is written and synced under a name of its own before the record that names it is committed, so a record never
// points at half a body. What a crash leaves behind is a file that no record names; Sweep removes it.
package local

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"tarn/access"
	"tarn/access/seal"
	"tarn/cloud"
	"tarn/fault"
	"tarn/kv"
)

// Options set a cloud up. Space, Dir, Sealer, Directory and Account must be given.
type Options struct {
	Space     kv.Space         // records live here under the prefixes buckets/, objects/ and keys/
	Dir       string           // bodies lie in Dir/buckets
	Disk      Disk             // below Dir; nil: the operating system's
	Sealer    *seal.Sealer     // seals key material at rest
	Directory access.Directory // roles and what principals' own policies give
	Account   string           // twelve digits
	Region    string           // default us-east-1
	Partition string           // default aws
	Now       func() time.Time // default time.Now
}

// Cloud is the embedded cloud. It is safe for concurrent use.
type Cloud struct {
	space     kv.Space
	sealer    *seal.Sealer
	directory access.Directory
	account   string
	region    string
	partition string
	now       func() time.Time
	bodies    *bodies
	policies  *policies

	service []byte // the key that wraps data keys of objects under SSE-S3
	stop    context.CancelFunc
	done    sync.WaitGroup
}

var _ cloud.Cloud = (*Cloud)(nil)

// Open opens the cloud, making what a first start needs: the key of SSE-S3, and the AWS managed key behind
// alias/aws/s3. Housekeeping (Sweep) runs in the background, at once and from time to time,
// until Close.
func Open(ctx context.Context, o Options) (*Cloud, error) {
	const op = "local.Open"
	if o.Space == nil || o.Dir == "" || o.Sealer == nil || o.Directory == nil || len(o.Account) != 12 {
		return nil, fault.Errorf(fault.Invalid, op, "Space, Dir, Sealer, Directory and an account of 12 digits must be given")
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Disk == nil {
		o.Disk = system{}
	}
	b, err := openBodies(o.Disk, filepath.Join(o.Dir, "buckets"))
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	c := &Cloud{space: o.Space, sealer: o.Sealer, directory: o.Directory, account: o.Account, region: o.Region,
		partition: o.Partition, now: o.Now, bodies: b, policies: newPolicies()}
	if c.service, err = c.serviceKey(ctx); err != nil {
		return nil, fault.Wrap(op, err)
	}
	if err := c.managedKey(ctx); err != nil {
		return nil, fault.Wrap(op, err)
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	c.done.Go(func() { c.housekeep(work) })
	return c, nil
}

// Close ends housekeeping. Nobody may use the cloud afterwards; kv stays open.
func (c *Cloud) Close() error {
	c.stop()
	c.done.Wait()
	return nil
}

// Account implements cloud.Cloud.
func (c *Cloud) Account() string { return c.account }

// Region implements cloud.Cloud.
func (c *Cloud) Region() string { return c.region }

// Partition is the first part of every ARN after "arn:", usually aws.
func (c *Cloud) Partition() string { return c.partition }

// housekeep sweeps at once, then keys and uploads every hour and bodies once a day: these need a walk over all files, and
// only a crash leaves orphans. What fails is tried again at the next turn.
func (c *Cloud) housekeep(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for hour := 0; ; hour++ {
		if hour%24 == 0 {
			_ = c.sweepBodies(ctx)
		}
		_, _ = c.sweepUploads(ctx), c.sweepKeys(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
