package interaction

import (
	"context"

	"tarn/fhir/profile"
	"tarn/fhir/r4"
)

// Supported are the URLs of the profiles of each resource type that are installed in a data store and can be checked, in
// their order.
func (p *Packages) Supported(ctx context.Context, datastore string) (map[r4.Code][]string, error) {
	installed, err := p.Profiles(ctx, datastore)
	if err != nil {
		return nil, err
	}
	set, ok := installed.(*profile.Set)
	if !ok {
		return nil, nil
	}
	urls := map[r4.Code][]string{}
	last := ""
	for _, one := range set.Profiles() {
		if code, ok := r4.CodeOf(one.Type); ok && one.Flaw == "" && one.URL != last { // versions of one URL stand together
			last = one.URL
			urls[code] = append(urls[code], one.URL)
		}
	}
	return urls, nil
}
