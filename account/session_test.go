package account_test

import (
	"testing"

	"tarn/access"
	"tarn/account"
	"tarn/fault"
)

// Two installations may be given one master key, such as a trial beside the real one. A session of the one account is
// none of the other, least of all the root's, which has no id of its own.
func TestSession_isOfItsAccountOnly(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := open(t, system(t, engine(t)))
	other, err := account.Open(ctx, system(t, engine(t)), account.Options{Account: "999999999999", Sealer: sealer(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.SessionToken(access.RootOf(number), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Session(ctx, c.AccessKeyID, c.SessionToken); err != nil {
		t.Errorf("its own account: %v", err)
	}
	if who, err := other.Session(ctx, c.AccessKeyID, c.SessionToken); !fault.Is(err, fault.NotFound) {
		t.Errorf("another account takes the session for %s, %v", who.Principal.ARN, err)
	}
}
