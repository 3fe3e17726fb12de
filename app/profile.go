package app

import (
	"fmt"
)

// writeProfile writes a profile for AWS clients, aws/config and aws/credentials, so that they find this server.
func (a *App) writeProfile() error {
	// AWS CLI 1 presigns in the old manner unless told otherwise.
	config := fmt.Sprintf("[profile tarn]\nregion = %s\noutput = json\nendpoint_url = %s\ns3 =\n    addressing_style = path\n    signature_version = s3v4\n", a.cfg.Region, a.url)
	if err := writeFile(a.dir.at("aws", "config"), []byte(config)); err != nil {
		return err
	}
	if a.root.AccessKeyID == "" {
		return nil // the root has no key any more; the profile's credentials are the operator's affair
	}
	return writeFile(a.dir.at("aws", "credentials"),
		fmt.Appendf(nil, "[tarn]\naws_access_key_id = %s\naws_secret_access_key = %s\n", a.root.AccessKeyID, a.root.Secret))
}
