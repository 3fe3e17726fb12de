package local

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"time"

	"tarn/cloud"
	"tarn/fault"
	"tarn/kv"
)

// Key states, as KMS spells them.
const (
	KeyEnabled         = "Enabled"
	KeyDisabled        = "Disabled"
	KeyPendingDeletion = "PendingDeletion"
)

// Who manages a key, as KMS spells it.
const (
	ManagerCustomer = "CUSTOMER"
	ManagerAWS      = "AWS"
)

// SymmetricKey is the only key spec that encrypts; the others can be made and described, so that what asks for a
// symmetric key can be seen to refuse them.
const SymmetricKey = "SYMMETRIC_DEFAULT"

// keyUses says what each key spec is for; the first use is the default.
var keyUses = map[string][]string{
	SymmetricKey:    {"ENCRYPT_DECRYPT"},
	"RSA_2048":      {"", "ENCRYPT_DECRYPT", "SIGN_VERIFY"},
	"ECC_NIST_P256": {"", "SIGN_VERIFY", "KEY_AGREEMENT"},
	"HMAC_256":      {"", "GENERATE_VERIFY_MAC"},
}

// keyRecord is a KMS key as it lies in its row.
type keyRecord struct {
	ID          string
	Created     time.Time
	State       string
	Manager     string
	Spec, Usage string
	Description string     `json:",omitempty"`
	Deletion    *time.Time `json:",omitempty"` // when it goes, while it is PendingDeletion
	Policy      string
	Tags        []Tag      `json:",omitempty"`
	Rotation    bool       `json:",omitempty"`
	RotateDays  int        `json:",omitempty"`
	Material    []material `json:",omitempty"` // the last one encrypts, all decrypt
}

// material is one generation of a key's secret.
type material struct {
	Sealed  []byte
	Created time.Time
}

// Tag is a tag of a key or a bucket.
type Tag struct{ Key, Value string }

// KeyMetadata is what KMS tells of a key.
type KeyMetadata struct {
	ID, ARN     string
	Created     time.Time
	State       string // KeyEnabled, KeyDisabled or KeyPendingDeletion
	Manager     string // ManagerCustomer or ManagerAWS
	Spec, Usage string
	Description string
	Deletion    *time.Time // when a key that is PendingDeletion goes
	Tags        []Tag
}

func (c *Cloud) metadata(k *keyRecord) KeyMetadata {
	return KeyMetadata{ID: k.ID, ARN: c.keyARN(k.ID), Created: k.Created, State: k.State, Manager: k.Manager, Spec: k.Spec,
		Usage: k.Usage, Description: k.Description, Deletion: k.Deletion, Tags: k.Tags}
}

// kmsError makes an error of KMS.
func kmsError(kind fault.Kind, code, format string, args ...any) *cloud.Error {
	return &cloud.Error{Kind: kind, Code: code, Msg: fault.Message(fault.Errorf(kind, "", format, args...))}
}

// KeyRequest is what CreateKey is told.
type KeyRequest struct {
	Description string
	Policy      string // empty: the default, which leaves the key to the account's own policies
	Spec, Usage string // empty: symmetric
	Tags        []Tag
	// BypassSafety leaves out the check that the caller may change the policy afterwards.
	BypassSafety bool
}

// CreateKey makes a customer managed key with fresh material. (kms:CreateKey)
func (s *Session) CreateKey(ctx context.Context, r KeyRequest) (KeyMetadata, error) {
	if r.Spec == "" {
		r.Spec = SymmetricKey
	}
	tags, err := mergeTags(nil, r.Tags)
	if err != nil {
		return KeyMetadata{}, err
	}
	extra := tagConditions(conditions{"kms:keyspec", r.Spec, "kms:keyusage", r.Usage, "kms:keyorigin", "AWS_KMS"}, r.Tags)
	if err := s.decideOwn("kms:CreateKey", "*", extra); err != nil {
		return KeyMetadata{}, err
	}
	if len(r.Tags) > 0 {
		if err := s.decideOwn("kms:TagResource", "*", extra); err != nil {
			return KeyMetadata{}, err
		}
	}
	usage, err := useOf(r.Spec, r.Usage)
	if err != nil {
		return KeyMetadata{}, err
	}
	if len(r.Description) > 8192 {
		return KeyMetadata{}, kmsError(fault.Invalid, "ValidationException", "the description is longer than 8192 characters")
	}
	k := keyRecord{ID: newKeyID(), Created: s.c.now().UTC(), State: KeyEnabled, Manager: ManagerCustomer, Spec: r.Spec,
		Usage: usage, Description: r.Description, Policy: r.Policy, Tags: tags}
	if k.Policy == "" {
		k.Policy = s.c.defaultKeyPolicy()
	} else if err := s.checkKeyPolicy(&k, k.Policy, r.BypassSafety); err != nil {
		return KeyMetadata{}, err
	}
	if k.Spec == SymmetricKey {
		k.Material = []material{s.c.newMaterial(k.ID)}
	}
	err = s.c.space.Update(ctx, [][]byte{[]byte(rowKey + k.ID)}, func(kv.Locked) (*kv.Batch, error) {
		b := new(kv.Batch)
		b.Set([]byte(rowKey+k.ID), encode(k))
		return b, nil
	})
	return s.c.metadata(&k), err
}

func useOf(spec, usage string) (string, error) {
	uses, ok := keyUses[spec]
	if !ok {
		return "", kmsError(fault.Invalid, "ValidationException",
			"the key spec %q is not offered: SYMMETRIC_DEFAULT is, and RSA_2048, ECC_NIST_P256 and HMAC_256 for description only", spec)
	}
	if usage == "" && uses[0] != "" {
		return uses[0], nil
	}
	for _, u := range uses {
		if u == usage && u != "" {
			return u, nil
		}
	}
	if usage == "" {
		return "", kmsError(fault.Invalid, "ValidationException", "you must specify a KeyUsage value for an asymmetric or HMAC key")
	}
	return "", kmsError(fault.Invalid, "ValidationException", "KeyUsage %s is not compatible with KeySpec %s", usage, spec)
}

// newKeyID is a random UUID.
func newKeyID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

var keyIDForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// find is the key of that id, ARN, alias or alias's ARN.
func (c *Cloud) find(ctx context.Context, r kv.Reader, name string) (*keyRecord, error) {
	if name == "" || len(name) > 2048 {
		return nil, kmsError(fault.Invalid, "ValidationException", "KeyId must have 1 to 2048 characters")
	}
	local := name
	if strings.HasPrefix(name, "arn:") {
		var ok bool
		if local, ok = strings.CutPrefix(name, c.arn("kms", c.region, c.account, "")); !ok {
			if p := strings.SplitN(name, ":", 6); len(p) != 6 || p[2] != "kms" {
				return nil, kmsError(fault.Invalid, "InvalidArnException", "Invalid arn %s", name)
			}
			return nil, noSuchKey(name)
		}
		if id, isKey := strings.CutPrefix(local, "key/"); isKey {
			local = id
		} else if !strings.HasPrefix(local, "alias/") {
			return nil, kmsError(fault.Invalid, "InvalidArnException", "Invalid arn %s", name)
		}
	}
	if strings.HasPrefix(local, "alias/") {
		a, err := load[aliasRecord](ctx, r, []byte(rowAlias+local))
		if err != nil {
			return nil, err
		}
		if a == nil || len(local) > maxAlias {
			return nil, kmsError(fault.NotFound, "NotFoundException", "Alias %s is not found.", c.aliasARN(local))
		}
		local = a.Target
	}
	if !keyIDForm.MatchString(local) {
		if strings.HasPrefix(name, "arn:") {
			return nil, noSuchKey(name)
		}
		return nil, kmsError(fault.NotFound, "NotFoundException", "Invalid keyId '%s'", name)
	}
	k, err := load[keyRecord](ctx, r, []byte(rowKey+local))
	if err != nil {
		return nil, err
	}
	if k == nil || c.isErased(k) {
		return nil, noSuchKey(c.keyARN(local))
	}
	return k, nil
}

func noSuchKey(arn string) error {
	e := kmsError(fault.NotFound, "NotFoundException", "Key '%s' does not exist", arn)
	e.Resource = arn
	return e
}

// isErased reports whether the key's waiting time is over: from then on it is not there, whether or not Sweep has
// removed its row.
func (c *Cloud) isErased(k *keyRecord) bool {
	return k.Deletion != nil && !c.now().Before(*k.Deletion)
}

// key finds a key and decides on an action to it.
func (s *Session) key(ctx context.Context, name, action string, extra conditions) (*keyRecord, error) {
	var k *keyRecord
	err := s.c.read(ctx, func(r kv.Reader) (err error) {
		k, err = s.c.find(ctx, r, name)
		return err
	})
	if err != nil {
		return nil, named(err, action, name)
	}
	if strings.Contains(name, "alias/") {
		extra = append(extra, "kms:requestalias", name[strings.Index(name, "alias/"):])
	}
	return k, s.decideKey(k, action, extra)
}

// named fills in what an error was about where it does not say so itself.
func named(err error, action, resource string) error {
	var e *cloud.Error
	if errors.As(err, &e) {
		if e.Action == "" {
			e.Action = action
		}
		if e.Resource == "" {
			e.Resource = resource
		}
	}
	return err
}

// ready is nil where the key's state lets it do cryptography.
func (c *Cloud) ready(k *keyRecord) error {
	var e *cloud.Error
	switch k.State {
	case KeyEnabled:
		return nil
	case KeyDisabled:
		e = kmsError(fault.Conflict, "DisabledException", "%s is disabled.", c.keyARN(k.ID))
	default:
		e = pending(c.keyARN(k.ID))
	}
	e.Resource = c.keyARN(k.ID)
	return e
}

func pending(arn string) *cloud.Error {
	return kmsError(fault.Conflict, "KMSInvalidStateException", "%s is pending deletion.", arn)
}

// changeKey decides on an action to a customer managed key, then changes its record under its lock.
func (s *Session) changeKey(ctx context.Context, name, action string, extra conditions, change func(k *keyRecord, b *kv.Batch) error) (*keyRecord, error) {
	k, err := s.key(ctx, name, action, extra)
	if err != nil {
		return nil, err
	}
	if k.Manager == ManagerAWS {
		return nil, &cloud.Error{Kind: fault.Denied, Code: "AccessDeniedException", Action: action, Resource: s.c.keyARN(k.ID),
			Deny: cloud.DenySetting, Msg: s.c.keyARN(k.ID) + " is managed by AWS; it cannot be changed"}
	}
	row := []byte(rowKey + k.ID)
	err = s.c.space.Update(ctx, [][]byte{row}, func(tx kv.Locked) (*kv.Batch, error) {
		if tx.Values[0] == nil {
			return nil, noSuchKey(s.c.keyARN(k.ID))
		}
		now, err := decode[keyRecord](tx.Values[0])
		if err != nil {
			return nil, err
		}
		b := new(kv.Batch)
		if err := change(now, b); err != nil {
			return nil, err
		}
		k = now
		b.Set(row, encode(now))
		return b, nil
	})
	return k, named(err, action, s.c.keyARN(k.ID))
}
