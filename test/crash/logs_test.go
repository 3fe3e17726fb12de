package crash_test

import (
	"encoding/json"
	"strings"
)

// whole holds the logs of an import of new resources against its input: each resource stands in them.
func (s *stage) whole(logs map[string]string, name string, all []resource, when string) {
	s.Helper()
	if stored := s.stored(logs, name, all, when); len(stored) != len(all) {
		s.Errorf("%s: of %d resources %d stand in the logs", when, len(all), len(stored))
	}
}

// stored are those of an import's new resources that stand in its logs: as far as it came each line of a file stands in
// one log, under its number, and each resource once, as the first version that was made of it.
func (s *stage) stored(logs map[string]string, name string, all []resource, when string) (list []resource) {
	s.Helper()
	want := map[string]resource{}
	for _, r := range all {
		want[r.kind+"/"+strings.ReplaceAll(r.id, name, "ROUND")] = r
	}
	lines := map[string]map[int64]bool{} // by input file
	for name, text := range logs {
		folder, file, _ := strings.Cut(name, "/")
		if folder != "SUCCESS" && folder != "FAILURE" {
			continue
		}
		if lines[file] == nil {
			lines[file] = map[int64]bool{}
		}
		last := int64(0)
		for line := range strings.Lines(text) {
			var told struct {
				LineID   int64 `json:"lineId"`
				Response struct {
					Resource struct {
						ResourceType, ID string
						Meta             struct{ VersionID string }
					} `json:"jsonBlob"`
					Status int `json:"statusCode"`
				} `json:"UpdateResourceResponse"`
			}
			if err := json.Unmarshal([]byte(line), &told); err != nil || told.LineID <= last || lines[file][told.LineID] {
				s.Errorf("%s: %s: a line that is none, or out of order, or told before: %.200s", when, name, line)
			}
			last = told.LineID
			lines[file][told.LineID] = true
			if folder == "FAILURE" {
				continue
			}
			is := told.Response.Resource
			id := is.ResourceType + "/" + is.ID
			r, sent := want[id]
			if !sent || is.Meta.VersionID != "1" || told.Response.Status != 201 {
				s.Errorf("%s: %s: not sent, told before, or no first version: %.200s", when, name, line)
				continue
			}
			delete(want, id)
			list = append(list, r)
		}
	}
	for file, told := range lines {
		if !told[int64(len(told))] {
			s.Errorf("%s: some lines of %s stand in no log; %d are told", when, file, len(told))
		}
	}
	return list
}
