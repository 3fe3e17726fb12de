package localcloud

import (
	"time"

	"tarn/access"
	"tarn/api/edge"
	"tarn/fault"
)

// The keys are a user's, or the root's.

func createAccessKey(c *queryCall) (any, error) {
	name, err := self(c)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, edge.WithCode("InvalidInput", fault.WithHint(
			fault.Errorf(fault.Invalid, "iam", "the root has one access key, made at the first start"), "make a user and give it a key"))
	}
	key, secret, err := c.accounts.CreateAccessKey(c.ctx, name)
	if err != nil {
		return nil, err
	}
	var result struct {
		AccessKey struct {
			UserName, AccessKeyId, Status, SecretAccessKey string
			CreateDate                                     time.Time
		}
	}
	k := &result.AccessKey
	k.UserName, k.AccessKeyId, k.Status, k.SecretAccessKey, k.CreateDate = key.User, key.ID, keyStatus(key.Active), secret, key.Created
	return result, nil
}

func keyStatus(active bool) string {
	if active {
		return "Active"
	}
	return "Inactive"
}

type keyXML struct {
	UserName, AccessKeyId, Status string
	CreateDate                    time.Time
}

func listAccessKeys(c *queryCall) (any, error) {
	name, err := self(c)
	if err != nil {
		return nil, err
	}
	keys, err := c.accounts.AccessKeys(c.ctx, name)
	var result struct {
		AccessKeyMetadata members[keyXML]
		page
	}
	for _, k := range keys {
		result.AccessKeyMetadata.Member = append(result.AccessKeyMetadata.Member, keyXML{k.User, k.ID, keyStatus(k.Active), k.Created})
	}
	return result, err
}

func updateAccessKey(c *queryCall) (any, error) {
	name, err := self(c)
	if err != nil {
		return nil, err
	}
	id, err := c.need("AccessKeyId")
	if err != nil {
		return nil, err
	}
	status := c.text("Status")
	if status != "Active" && status != "Inactive" {
		return nil, edge.WithCode("ValidationError", fault.Errorf(fault.Invalid, "iam",
			"1 validation error detected: Value '%s' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]", brief(status)))
	}
	return nil, c.accounts.SetAccessKey(c.ctx, name, id, status == "Active")
}

func deleteAccessKey(c *queryCall) (any, error) {
	name, err := self(c)
	if err != nil {
		return nil, err
	}
	id, err := c.need("AccessKeyId")
	if err != nil {
		return nil, err
	}
	return nil, c.accounts.DeleteAccessKey(c.ctx, name, id)
}

func getAccessKeyLastUsed(c *queryCall) (any, error) {
	id, err := c.need("AccessKeyId")
	if err != nil {
		return nil, err
	}
	key, err := c.accounts.KeyOwner(c.ctx, id)
	if err != nil {
		return nil, err
	}
	var result struct {
		UserName          string `xml:",omitempty"`
		AccessKeyLastUsed struct {
			LastUsedDate        *time.Time
			ServiceName, Region string
		}
	}
	result.UserName = key.User
	if result.UserName == "" && c.Principal.Kind == access.Root {
		result.UserName = "root"
	}
	last := &result.AccessKeyLastUsed
	last.ServiceName, last.Region = "N/A", "N/A"
	if used := c.accounts.LastUsed(id); !used.IsZero() {
		last.LastUsedDate = &used
	}
	return result, nil
}

func listMFADevices(c *queryCall) (any, error) {
	var result struct {
		MFADevices struct{}
		page
	}
	return result, nil
}
