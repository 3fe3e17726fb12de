package client

import "context"

// Key is one KMS key.
type Key struct{ KeyId, Arn, Description, KeyState, KeyManager, KeySpec, KeyUsage string }

// KMS calls an operation of the Key Management Service.
func (c *Client) KMS(ctx context.Context, operation string, in, out any) error {
	return c.targeted(ctx, "kms", "application/x-amz-json-1.1", "TrentService."+operation, in, out)
}

// CreateKey makes a customer managed symmetric key.
func (c *Client) CreateKey(ctx context.Context, description string) (Key, error) {
	var out struct{ KeyMetadata Key }
	err := c.KMS(ctx, "CreateKey", map[string]string{"Description": description}, &out)
	return out.KeyMetadata, err
}

// CreateAlias gives a key a second name, which begins with alias/.
func (c *Client) CreateAlias(ctx context.Context, alias, keyID string) error {
	return c.KMS(ctx, "CreateAlias", map[string]string{"AliasName": alias, "TargetKeyId": keyID}, nil)
}

// DescribeKey is one key by its id, ARN or alias.
func (c *Client) DescribeKey(ctx context.Context, id string) (Key, error) {
	var out struct{ KeyMetadata Key }
	err := c.KMS(ctx, "DescribeKey", map[string]string{"KeyId": id}, &out)
	return out.KeyMetadata, err
}

// ListKeys is all keys of the account, with what DescribeKey says of each.
func (c *Client) ListKeys(ctx context.Context) ([]Key, error) {
	var keys []Key
	marker := ""
	for {
		in := map[string]any{"Limit": 1000}
		if marker != "" {
			in["Marker"] = marker
		}
		var out struct {
			Keys       []struct{ KeyId string }
			NextMarker string
		}
		if err := c.KMS(ctx, "ListKeys", in, &out); err != nil {
			return nil, err
		}
		for _, k := range out.Keys {
			key, err := c.DescribeKey(ctx, k.KeyId)
			if err != nil {
				return nil, err
			}
			keys = append(keys, key)
		}
		if marker = out.NextMarker; marker == "" {
			return keys, nil
		}
	}
}
