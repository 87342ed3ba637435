package api

// Line is a line of the route table.
type Line struct {
	Method, Path, Scope string
	Kinds               []string
	Ended               bool
}

// Table returns the route table.
func (a *API) Table() (lines []Line) {
	for _, e := range a.endpoints() {
		l := Line{Method: e.method, Path: e.path, Scope: string(e.scope), Ended: e.ended}
		for _, k := range []struct {
			kind
			name string
		}{{person, "person"}, {agreement, "agreement"}, {service, "service"}} {
			if e.of&k.kind != 0 {
				l.Kinds = append(l.Kinds, k.name)
			}
		}
		lines = append(lines, l)
	}
	return lines
}

// ParseBody returns the members of a body.
func ParseBody(body []byte) (map[string]any, error) {
	o, err := parseObject(body)
	if err != nil {
		return nil, err
	}
	return o.values, nil
}
