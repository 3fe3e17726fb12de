package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// patients are some of the input, with all that the beginning of each file holds of them.
type patients struct {
	ids       []string
	families  []string // of the same
	resources map[string][]member
	codes     []string // of observations, system|code, the frequent ones first
	dates     []string // of observations of the same patients
}

// member is a resource of a patient.
type member struct {
	typ, id string
	text    []byte
}

const (
	peopleCount = 200
	peopleBytes = 96 << 20 // of each file, looked for them
)

// errEnough ends the reading of a file.
var errEnough = fmt.Errorf("enough")

// people reads them.
func (b *bench) people() (*patients, error) {
	p := &patients{resources: map[string][]member{}}
	err := eachLine(filepath.Join(b.data, "Patient.ndjson"), func(line []byte) error {
		var one struct {
			ID   string
			Name []struct{ Family string }
		}
		if err := json.Unmarshal(line, &one); err != nil || len(one.Name) == 0 {
			return err
		}
		p.ids, p.families = append(p.ids, one.ID), append(p.families, one.Name[0].Family)
		p.resources[one.ID] = []member{{"Patient", one.ID, bytes.Clone(line)}}
		if len(p.ids) == peopleCount {
			return errEnough
		}
		return nil
	})
	if err != nil && err != errEnough {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(b.data, "*.ndjson"))
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, file := range files {
		typ, _, _ := strings.Cut(filepath.Base(file), ".")
		if typ == "Patient" {
			continue
		}
		read := 0
		err := eachLine(file, func(line []byte) error {
			if read += len(line); read > peopleBytes {
				return errEnough
			}
			return p.note(typ, line, counts)
		})
		if err != nil && err != errEnough {
			return nil, err
		}
	}
	for code := range counts {
		p.codes = append(p.codes, code)
	}
	slices.SortFunc(p.codes, func(a, b string) int { return counts[b] - counts[a] })
	if len(p.ids) == 0 || len(p.codes) == 0 || len(p.dates) == 0 {
		return nil, fmt.Errorf("the input has no patients with observations: give it by -input as files of their types")
	}
	return p, nil
}

func (p *patients) note(typ string, line []byte, counts map[string]int) error {
	var one struct {
		ID                string
		Subject, Patient  struct{ Reference string }
		EffectiveDateTime string
		Code              struct {
			Coding []struct{ System, Code string }
		}
	}
	if err := json.Unmarshal(line, &one); err != nil {
		return err
	}
	if typ == "Observation" && len(one.Code.Coding) > 0 {
		counts[one.Code.Coding[0].System+"|"+one.Code.Coding[0].Code]++
	}
	for _, ref := range []string{one.Subject.Reference, one.Patient.Reference} {
		of, ok := strings.CutPrefix(ref, "Patient/")
		if _, known := p.resources[of]; !ok || !known {
			continue
		}
		p.resources[of] = append(p.resources[of], member{typ, one.ID, bytes.Clone(line)})
		if len(one.EffectiveDateTime) >= 10 && len(p.dates) < 1000 {
			p.dates = append(p.dates, one.EffectiveDateTime[:10])
		}
		break
	}
	return nil
}
