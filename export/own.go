package export

import (
	"context"
	"io"
	"path"
	"strings"

	"tarn/cloud"
	"tarn/fault"
	"tarn/job"
)

// putter is the bucket of a job, as far as writing goes.
type putter interface {
	Put(ctx context.Context, key string, body io.ReadSeeker, size int64, o cloud.PutOptions) error
}

// open prepares a job's bucket: the caller's, looked at again and reached with the role, or the service's own. The
// settings may have changed while the job waited, and nothing may go into a bucket that has been opened.
func (s *Service) open(ctx context.Context, j Job, jobID string) (putter, error) {
	if j.Own {
		return s.cloud.Own(ctx)
	}
	to := s.destination(j)
	checked, err := to.Check(ctx, s.cloud)
	if err != nil {
		return nil, err
	}
	if len(checked.Findings) > 0 {
		return nil, &PreflightError{Job: "export", Findings: checked.Findings}
	}
	role, err := to.Assume(ctx, s.cloud, "export-"+jobID)
	if err != nil {
		return nil, err
	}
	return role.Bucket(j.Bucket), nil
}

// ownFolder is where a job's files lie in the service's own bucket.
func ownFolder(datastore, jobID string) string { return datastore + "/" + jobID + "/" }

// folderOf is the folder of a job in its bucket.
func (j Job) folderOf(jobID string) string {
	if j.Own {
		return ownFolder(j.Datastore, jobID)
	}
	return j.Prefix + Folder(j.Datastore, jobID)
}

// Files are the files of an export that are written by now, in the order of the manifest, those that tell of deletions
// among them.
func (s *Service) Files(ctx context.Context, rec job.Record) ([]File, error) {
	var files []File
	for c, err := range s.ledger.Checkpoints(ctx, rec.ID) {
		if err != nil {
			return nil, fault.Wrap("export.Files", err)
		}
		part, err := filesOf(c)
		if err != nil {
			return nil, err
		}
		files = append(files, part...)
	}
	j, err := parseJob(rec.Params)
	if err != nil {
		return nil, err
	}
	if body, f := ignoredFile(j, jobNumber(rec.ID)); body != nil {
		files = append(files, f)
	}
	return files, nil
}

// OwnFile is a file of an export that lies in the service's own bucket.
type OwnFile struct {
	Size   int64
	ETag   string // without quotes; another one says that the bytes are others
	bucket cloud.OwnBucket
	key    string
}

// Open reads n bytes from offset. Whoever gets the reader closes it.
func (f OwnFile) Open(ctx context.Context, offset, n int64) (io.ReadCloser, error) {
	return f.bucket.Get(ctx, f.key, offset, n)
}

// OpenOwn finds a file of an export to the service's own bucket by its name in the manifest. fault.NotFound where there
// is none, fault.Gone where its time is over.
func (s *Service) OpenOwn(ctx context.Context, datastore, jobID, name string) (OwnFile, error) {
	const op = "export.OpenOwn"
	rec, j, err := s.Describe(ctx, datastore, jobID)
	if err != nil {
		return OwnFile{}, err
	}
	if !j.Own {
		return OwnFile{}, fault.Errorf(fault.NotFound, op, "The files of export %s are in the bucket that it was sent to.", jobID)
	}
	if s.Expired(rec, j) {
		return OwnFile{}, fault.Errorf(fault.Gone, op, "The files of export %s have been deleted.", jobID)
	}
	if path.Clean("/"+name) != "/"+name || strings.HasSuffix(name, "/") || !strings.HasSuffix(name, ".ndjson") {
		return OwnFile{}, fault.Errorf(fault.NotFound, op, "Export %s has no such file.", jobID)
	}
	own, err := s.cloud.Own(ctx)
	if err != nil {
		return OwnFile{}, fault.Wrap(op, err)
	}
	key := j.folderOf(jobID) + name
	for o, err := range own.List(ctx, key) {
		if err != nil {
			return OwnFile{}, fault.Wrap(op, err)
		}
		if o.Key == key {
			return OwnFile{o.Size, o.ETag, own, key}, nil
		}
		break
	}
	return OwnFile{}, fault.Errorf(fault.NotFound, op, "Export %s has no such file.", jobID)
}
