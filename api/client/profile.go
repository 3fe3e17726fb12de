package client

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tarn/fault"
)

// Lookup says where a Config is to be found. What is empty is looked for in this order:
//
//   - the profile's files: DataDir/aws if DataDir is given; AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE if one of
//     them is set; ./tarn-data/aws if it is there; ~/.aws
//   - the profile's name: Profile, AWS_PROFILE, "tarn"
//   - the endpoint: Endpoint, AWS_ENDPOINT_URL, the profile's endpoint_url, http://127.0.0.1:8080
//   - the Region: Region, AWS_REGION, AWS_DEFAULT_REGION, the profile's region, us-east-1
//   - the credentials: AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, the profile's
//
// Where Profile or DataDir is given, the files go before the environment.
type Lookup struct {
	DataDir  string
	Profile  string
	Endpoint string
	Region   string
	Getenv   func(string) string // nil: os.Getenv
}

// DefaultDataDir is the data directory of a server that was started without --data-dir.
const DefaultDataDir = "./tarn-data"

const defaultEndpoint = "http://127.0.0.1:8080"

// Find is the Config that the lookup leads to. Credentials that cannot be found are fault.Unauthentic.
func (l Lookup) Find() (Config, error) {
	if l.Getenv == nil {
		l.Getenv = os.Getenv
	}
	named := first(l.Profile, l.Getenv("AWS_PROFILE"), "tarn")
	configFile, credentialsFile := l.files()
	config, err := section(configFile, "profile "+named, named)
	if err != nil {
		return Config{}, err
	}
	secrets, err := section(credentialsFile, named)
	if err != nil {
		return Config{}, err
	}
	fromFile := Credentials{secrets["aws_access_key_id"], secrets["aws_secret_access_key"], secrets["aws_session_token"]}
	fromEnv := Credentials{l.Getenv("AWS_ACCESS_KEY_ID"), l.Getenv("AWS_SECRET_ACCESS_KEY"), l.Getenv("AWS_SESSION_TOKEN")}
	region := []string{l.Getenv("AWS_REGION"), l.Getenv("AWS_DEFAULT_REGION"), config["region"]}
	endpoint := []string{l.Getenv("AWS_ENDPOINT_URL"), config["endpoint_url"]}
	credentials := []Credentials{fromEnv, fromFile}
	if l.Profile != "" || l.DataDir != "" {
		region = []string{config["region"], l.Getenv("AWS_REGION"), l.Getenv("AWS_DEFAULT_REGION")}
		endpoint[0], endpoint[1] = endpoint[1], endpoint[0]
		credentials = []Credentials{fromFile, fromEnv}
	}
	c := Config{Endpoint: first(append(append([]string{l.Endpoint}, endpoint...), defaultEndpoint)...),
		Region: first(append(append([]string{l.Region}, region...), "us-east-1")...)}
	for _, found := range credentials {
		if found.AccessKeyID != "" && found.Secret != "" {
			c.Credentials = found
			return c, nil
		}
	}
	return c, fault.WithHint(fault.Errorf(fault.Unauthentic, "client", "No credentials were found: neither in the environment nor in profile %s of %s.", named, credentialsFile),
		"Name the data directory of the server (--data-dir DIR), which holds the profile that its first start wrote; or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// files are the paths of the profile's two files.
func (l Lookup) files() (config, credentials string) {
	below := func(dir string) (string, string) {
		return filepath.Join(dir, "config"), filepath.Join(dir, "credentials")
	}
	if l.DataDir != "" {
		return below(filepath.Join(l.DataDir, "aws"))
	}
	config, credentials = below(filepath.Join(DefaultDataDir, "aws"))
	if _, err := os.Stat(config); err != nil {
		if home, err := os.UserHomeDir(); err == nil {
			config, credentials = below(filepath.Join(home, ".aws"))
		}
	}
	fromConfig, fromCredentials := l.Getenv("AWS_CONFIG_FILE"), l.Getenv("AWS_SHARED_CREDENTIALS_FILE")
	if fromConfig == "" && fromCredentials == "" {
		return config, credentials
	}
	return first(fromConfig, config), first(fromCredentials, credentials)
}

// section reads the settings of the first section of an AWS configuration file that bears one of the names. A file or a
// section that is not there has no settings. Settings that are nested below another are passed over.
func section(path string, names ...string) (map[string]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Errorf(fault.Denied, "client", "The profile cannot be read: %v.", err)
	}
	defer f.Close()
	settings, inside := map[string]string{}, false
	in := bufio.NewScanner(f)
	for in.Scan() {
		line := in.Text()
		text := strings.TrimSpace(line)
		switch {
		case text == "" || text[0] == '#' || text[0] == ';':
		case text[0] == '[':
			name := strings.Join(strings.Fields(strings.Trim(text, "[]")), " ")
			inside = false
			for _, n := range names {
				inside = inside || n == name
			}
		case inside && line[0] != ' ' && line[0] != '\t':
			if key, value, ok := strings.Cut(text, "="); ok {
				settings[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
			}
		}
	}
	if err := in.Err(); err != nil {
		return nil, fault.Errorf(fault.Invalid, "client", "The profile %s cannot be read: %v.", path, err)
	}
	return settings, nil
}
