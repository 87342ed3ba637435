package admin

import (
	"errors"

	"pochi/app/problem"
)

// fault is an answer that isn't what was asked for. Whoever reads it runs the
// wallet: the cause of an internal error is for them.
type fault struct {
	Code     problem.Code `json:"code"`
	Field    string       `json:"field,omitempty"`
	Message  string       `json:"message"`
	Problems []fault      `json:"problems,omitempty"` // all of them, when there are several
}

func faultOf(err error) fault {
	f := fault{Code: problem.CodeOf(err), Message: problem.MessageOf(err)}
	if f.Code == problem.Internal {
		f.Message = err.Error()
	}
	var one *problem.Error
	if errors.As(err, &one) {
		f.Field = one.Field
	}
	var many problem.Errors
	if errors.As(err, &many) && len(many) > 1 {
		for _, each := range many {
			f.Problems = append(f.Problems, faultOf(each))
		}
	}
	return f
}

// problem returns the error that a fault tells of.
func (f fault) problem(status int) error {
	if len(f.Problems) == 0 {
		return &problem.Error{Code: f.Code, Field: f.Field, Message: f.Message, HTTP: status}
	}
	var many problem.Errors
	for _, each := range f.Problems {
		many = append(many, &problem.Error{Code: each.Code, Field: each.Field, Message: each.Message})
	}
	return many
}
