package r4

// Decode reads the embedded table anew, as the first use does.
func Decode() { decode(definitions) }
