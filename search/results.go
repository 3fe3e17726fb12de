package search

import "strings"

// results are the parameters that say how results are shown.
var results = map[string]bool{
	"_sort": true, "_count": true, "_include": true, "_revinclude": true, "_summary": true, "_total": true,
	"_elements": true, "_contained": true, "_containedType": true, "_cursor": true, "_explain": true, "_type": true,
}

// bare is the name of a parameter without its modifiers.
func bare(name string) string {
	name, _, _ = strings.Cut(name, ":")
	return name
}
