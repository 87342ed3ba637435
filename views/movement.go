package views

// anchor is the id of a movement's line in a history: one between two accounts of
// the same person has two lines.
func (m Movement) anchor() string {
	if m.In {
		return "in-" + m.ID
	}
	return "out-" + m.ID
}
