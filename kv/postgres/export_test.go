package postgres

import "tarn/kv"

// Waiting is how many updates of s wait for their locks in this process.
func Waiting(s kv.Space) int { return s.(*space).locks.Waiting() }
