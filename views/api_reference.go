package views

// APIReference is the page about the API for apps.
type APIReference struct {
	Description []string // paragraphs
	Tokens      []APICurl
	Groups      []APIGroup
	Errors      []APIAnswer // of any operation
	Types       []APIType
	Document    string // URL of the OpenAPI document
	Address     string // of the API
}

// APICurl is a command line to copy.
type APICurl struct {
	Words string
	Line  string
}

// APIGroup are operations that belong together.
type APIGroup struct {
	Name        string
	Description string
	Operations  []APIOperation
}

// APIOperation is one thing that can be asked for.
type APIOperation struct {
	ID          string
	Method      string // "POST"
	Path        string // "/agreements/{id}/charges"
	Summary     string
	Description []string // paragraphs
	Tokens      []string // what is needed, in words; none if nothing is
	Parameters  []APIField
	Body        string // name of a type, "" for none
	Curl        string
	Answers     []APIAnswer
	Errors      []string // statuses of those that it can be refused with
}

// APIField is a parameter, or a member of a type.
type APIField struct {
	Name     string
	In       string // "path", "query", "header", "" for a member
	Kind     string
	Type     string // that Kind refers to, "" for none
	Required bool
	Words    string
}

// APIAnswer is one that can be expected.
type APIAnswer struct {
	Status string
	Words  string
	Type   string // of its body, "" for none
}

// APIType is an object that requests and answers have.
type APIType struct {
	Name   string
	Words  string
	Fields []APIField
}
