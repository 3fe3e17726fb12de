package account

import (
	"crypto/sha256"
	"embed"
	"encoding/base32"
	"path"
	"strings"
	"sync"
	"time"
)

// The AWS managed policies that matter here, restated from AWS's managed policy reference: FILE.json is the policy
// arn:aws:iam::aws:policy/FILE. The services that are not here are left out.
//
//go:embed managed/*.json
var managedFiles embed.FS

const managedPrefix = "arn:aws:iam::aws:policy/"

// managedCreated is when AWS first published such policies; their ids and times are ours.
var managedCreated = time.Date(2015, 2, 6, 18, 40, 0, 0, time.UTC)

var managedPolicies = sync.OnceValue(func() []*Policy {
	entries, err := managedFiles.ReadDir("managed")
	if err != nil {
		panic("account: the AWS managed policies are not embedded: " + err.Error())
	}
	var list []*Policy
	for _, entry := range entries {
		document, err := managedFiles.ReadFile("managed/" + entry.Name())
		if err != nil {
			panic("account: an AWS managed policy is not embedded: " + err.Error())
		}
		name := strings.TrimSuffix(path.Base(entry.Name()), ".json")
		sum := sha256.Sum256([]byte(name))
		list = append(list, &Policy{
			Name: name, Path: "/", ID: "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17], ARN: managedPrefix + name,
			Created: managedCreated, Updated: managedCreated, Default: "v1", AWS: true,
			Versions: []PolicyVersion{{"v1", string(document), managedCreated}},
		})
	}
	return list
})

// ManagedPolicies is the AWS managed policies that are built in, by name. They are shared and not to be changed.
func ManagedPolicies() []*Policy { return managedPolicies() }

func managed(arn string) *Policy {
	if !strings.HasPrefix(arn, managedPrefix) {
		return nil
	}
	for _, p := range managedPolicies() {
		if p.ARN == arn {
			return p
		}
	}
	return nil
}
