package agreements

// KeepInMemory lets tests make the memory small. It returns what was before.
func KeepInMemory(most int) (before int) {
	before, memoryMax = memoryMax, most
	return before
}
