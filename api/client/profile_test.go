package client_test

import (
	"os"
	"path/filepath"
	"testing"

	"tarn/api/client"
	"tarn/fault"
)

// profile writes the two files of a profile into a folder.
func profile(t *testing.T, dir, config, credentials string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"config": config, "credentials": credentials} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLookup_findsTheServerInItsOrder(t *testing.T) {
	home, data := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Chdir(t.TempDir())
	profile(t, filepath.Join(home, ".aws"),
		"[default]\nregion = eu-central-1\n[profile tarn]\nregion = eu-west-1\nendpoint_url = http://home:1\n[profile other]\n# a comment\nregion=eu-west-2\ns3 =\n    endpoint_url = http://nested:1\nendpoint_url=http://other:1\n",
		"[tarn]\naws_access_key_id = HOME\naws_secret_access_key = h\n[other]\naws_access_key_id=OTHER\naws_secret_access_key=o\naws_session_token=t\n")
	profile(t, filepath.Join(data, "aws"), "[profile tarn]\nregion = us-east-2\nendpoint_url = http://data:1\n", "[tarn]\naws_access_key_id = DATA\naws_secret_access_key = d\n")
	inHome := client.Config{Endpoint: "http://home:1", Region: "eu-west-1", Credentials: client.Credentials{AccessKeyID: "HOME", Secret: "h"}}
	inData := client.Config{Endpoint: "http://data:1", Region: "us-east-2", Credentials: client.Credentials{AccessKeyID: "DATA", Secret: "d"}}
	other := client.Config{Endpoint: "http://other:1", Region: "eu-west-2", Credentials: client.Credentials{AccessKeyID: "OTHER", Secret: "o", Token: "t"}}
	keys := map[string]string{"AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "e", "AWS_REGION": "us-west-1", "AWS_ENDPOINT_URL": "http://env:1"}
	inEnv := client.Config{Endpoint: "http://env:1", Region: "us-west-1", Credentials: client.Credentials{AccessKeyID: "ENV", Secret: "e"}}
	for name, test := range map[string]struct {
		lookup client.Lookup
		env    map[string]string
		want   client.Config
	}{
		"home":                       {client.Lookup{}, nil, inHome},
		"profile by flag":            {client.Lookup{Profile: "other"}, nil, other},
		"profile by variable":        {client.Lookup{}, map[string]string{"AWS_PROFILE": "other"}, other},
		"data directory":             {client.Lookup{DataDir: data}, nil, inData},
		"environment":                {client.Lookup{}, keys, inEnv},
		"data directory before it":   {client.Lookup{DataDir: data}, keys, inData},
		"profile before it":          {client.Lookup{Profile: "other"}, keys, other},
		"flags before all":           {client.Lookup{DataDir: data, Endpoint: "http://flag:1", Region: "ap-south-1"}, keys, client.Config{Endpoint: "http://flag:1", Region: "ap-south-1", Credentials: inData.Credentials}},
		"files by variable":          {client.Lookup{}, map[string]string{"AWS_CONFIG_FILE": filepath.Join(data, "aws", "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(data, "aws", "credentials")}, inData},
		"default Region by variable": {client.Lookup{}, map[string]string{"AWS_DEFAULT_REGION": "us-west-2"}, client.Config{Endpoint: inHome.Endpoint, Region: "us-west-2", Credentials: inHome.Credentials}},
		"half a key counts for none": {client.Lookup{}, map[string]string{"AWS_ACCESS_KEY_ID": "ENV"}, inHome},
	} {
		t.Run(name, func(t *testing.T) {
			test.lookup.Getenv = func(name string) string { return test.env[name] }
			if got, err := test.lookup.Find(); err != nil || got != test.want {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func TestLookup_prefersTheDataDirectoryAtHand(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Chdir(t.TempDir())
	none := func(string) string { return "" }
	_, err := client.Lookup{Getenv: none}.Find()
	if !fault.Is(err, fault.Unauthentic) || fault.Hint(err) == "" {
		t.Errorf("without a profile: %v", err)
	}
	profile(t, filepath.Join("tarn-data", "aws"), "[profile tarn]\nendpoint_url = http://here:1\n", "[tarn]\naws_access_key_id = HERE\naws_secret_access_key = h\n")
	got, err := client.Lookup{Getenv: none}.Find()
	want := client.Config{Endpoint: "http://here:1", Region: "us-east-1", Credentials: client.Credentials{AccessKeyID: "HERE", Secret: "h"}}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

func FuzzLookup(f *testing.F) {
	f.Add("[profile tarn]\nregion = us-east-1\n", "[tarn]\naws_access_key_id = A\naws_secret_access_key = s\n")
	f.Add("[profile  tarn ]\n=\n a = b\n", "[]\n[tarn\naws_access_key_id==\n")
	f.Fuzz(func(t *testing.T, config, credentials string) {
		dir := t.TempDir()
		profile(t, filepath.Join(dir, "aws"), config, credentials)
		c, err := client.Lookup{DataDir: dir, Getenv: func(string) string { return "" }}.Find()
		if err == nil && (c.Credentials.AccessKeyID == "" || c.Credentials.Secret == "" || c.Endpoint == "" || c.Region == "") {
			t.Errorf("found %+v", c)
		}
		if err != nil && fault.KindOf(err) == fault.Internal {
			t.Errorf("a file of the user's is an internal error: %v", err)
		}
	})
}
