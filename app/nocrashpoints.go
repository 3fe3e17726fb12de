//go:build !crashpoints

package app

import (
	"tarn/cloud"
	"tarn/kv"
)

// Builds with the tag crashpoints, for tests, put something around these two; every other build leaves them as they are.

func crashableEngine(e kv.Engine, _ string) kv.Engine { return e }

func crashableCloud(c cloud.Cloud, _ string) cloud.Cloud { return c }
