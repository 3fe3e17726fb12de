package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
)

type fhirCmd struct {
	Method string   `arg:"" help:"GET, POST, PUT, PATCH, DELETE or HEAD."`
	Path   string   `arg:"" help:"Below the data store's base, such as Patient/1 or Patient/1/_history."`
	Data   string   `help:"Body of the request: @FILE, - for standard input, or the JSON itself." short:"d" placeholder:"BODY"`
	Header []string `help:"Header of the request, such as 'If-Match: W/\"1\"'; may be given more than once." short:"H" placeholder:"NAME: VALUE" sep:"none"`
	dataStore
	remote
}

// Run sends the request and prints the body of the answer.
func (c *fhirCmd) Run(ctx context.Context, s *screen) error {
	body, err := c.body(s.in)
	if err != nil {
		return err
	}
	if method := strings.ToUpper(c.Method); body == nil && (method == http.MethodPut || method == http.MethodPatch) {
		return usagef("tarn fhir "+method+" "+c.Path+" --data @FILE", "%s needs a body.", method)
	}
	header, err := c.header()
	if err != nil {
		return err
	}
	api, err := c.connect()
	if err != nil {
		return err
	}
	d, err := c.find(ctx, api)
	if err != nil {
		return err
	}
	resp, err := api.FHIRWith(ctx, strings.ToUpper(c.Method), d.DatastoreId, strings.TrimLeft(c.Path, "/"), header, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	s.note("%s", s.faintErr(resp.Status+location(cmp.Or(resp.Header.Get("Location"), resp.Header.Get("Content-Location")))))
	if len(answer) == 0 {
		return nil
	}
	var pretty bytes.Buffer
	if s.outLive && json.Indent(&pretty, answer, "", "  ") == nil {
		answer = pretty.Bytes()
	}
	_, err = s.out.Write(append(bytes.TrimRight(answer, "\n"), '\n'))
	return err
}

func location(at string) string {
	if at == "" {
		return ""
	}
	return "  " + at
}

// header is the headers that the flags name.
func (c *fhirCmd) header() (http.Header, error) {
	h := http.Header{}
	for _, line := range c.Header {
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(line, "\r\n") {
			return nil, usagef(`-H 'If-Match: W/"1"'`, "%q is no header.", line)
		}
		h.Add(name, strings.TrimSpace(value))
	}
	return h, nil
}

func (c *fhirCmd) body(in io.Reader) ([]byte, error) {
	file, isFile := strings.CutPrefix(c.Data, "@")
	var body []byte
	var err error
	switch {
	case c.Data == "":
		return nil, nil
	case c.Data == "-":
		body, err = io.ReadAll(in)
	case isFile:
		body, err = os.ReadFile(file)
	default:
		body = []byte(c.Data)
	}
	if err != nil {
		return nil, usagef("Give @FILE, - for standard input, or the JSON itself.", "The body cannot be read: %v.", err)
	}
	return body, nil
}
