package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// entry is one line of the journal. The operations:
//
//	put     a resource as a create or an update sent it, acknowledged
//	delete  acknowledged
//	import  a resource in the input of an import that ended COMPLETED without an error; nothing tells its instant but
//	        that it lies between the job's SubmitTime and EndTime
//	lost    a put or delete without an answer: it may have been applied or not (Sum is empty for a delete)
//	export  an export: Sent and Time are before and after its Start call, ID is the job
type entry struct {
	Sent    time.Time `json:"sent"` // before the request
	Time    time.Time `json:"time"` // after its answer
	Op      string    `json:"op"`
	Type    string    `json:"type,omitempty"`
	ID      string    `json:"id,omitempty"`
	Version int       `json:"version,omitempty"`
	Updated string    `json:"lastUpdated,omitempty"` // as the store said it
	Sum     string    `json:"sha256,omitempty"`      // of the body sent: see resource.sum
}

// journal is a file to which entries are appended; it is safe for concurrent use. An entry whose append has returned is
// in the hands of the operating system: it outlives this process, which is all that a test needs.
type journal struct {
	mu sync.Mutex
	f  *os.File
	w  *bufio.Writer
}

func createJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &journal{f: f, w: bufio.NewWriterSize(f, 1<<20)}, nil
}

func (j *journal) append(entries ...entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := json.NewEncoder(j.w)
	for _, one := range entries {
		if err := e.Encode(one); err != nil {
			return err
		}
	}
	return j.w.Flush()
}

func (j *journal) close() error { return j.f.Close() }

// readJournal calls f with each entry.
func readJournal(path string, f func(entry) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	d := json.NewDecoder(bufio.NewReaderSize(file, 1<<20))
	for n := 1; ; n++ {
		var e entry
		switch err := d.Decode(&e); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("entry %d of the journal: %w", n, err)
		}
		if err := f(e); err != nil {
			return fmt.Errorf("entry %d of the journal: %w", n, err)
		}
	}
}

// instant reads meta.lastUpdated.
func instant(s string) (time.Time, error) { return time.Parse(time.RFC3339Nano, s) }
