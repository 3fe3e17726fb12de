package r4

// tables are the definitions as loaded.
type tables struct{ structures map[string]*Structure }

// fieldIndex finds a JSON name's place.
type fieldIndex struct{ places map[string]Place }

func (f *fieldIndex) find(name []byte) (Place, bool) {
	p, ok := f.places[string(name)]
	return p, ok
}

// Codes are the codes of a value set.
type Codes struct{ pairs map[string]bool }

func (c *Codes) has(system, code []byte) bool { return c.pairs[string(system)+"|"+string(code)] }

func load() *tables { return &tables{} }

func (t *tables) resource(c Code) *Structure           { return t.structures[c.String()] }
func (t *tables) params(Code) []*SearchParam           { return nil }
func (t *tables) param(Code, string) *SearchParam      { return nil }
func (t *tables) compartment(of Code, c Code) []string { return nil }
