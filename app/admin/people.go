package admin

import (
	"context"
	"log/slog"
	"net/http"

	"pochi/ledger"

	"github.com/google/uuid"
)

// People is what the handler needs to add somebody.
type People interface {
	// Add makes a person with an account, a payment pointer and what is on the
	// account at first, all or nothing. Errors: problem.Errors with all that is
	// wrong at once, under the names of the command's flags; problem.Conflict
	// when there is somebody with this e-mail.
	Add(ctx context.Context, in NewPerson) (Newcomer, error)
}

// NewPerson is a person to be.
type NewPerson struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name"`
	Pointer  string `json:"pointer"`
	Asset    string `json:"asset"`             // a currency's code, with or without its decimals
	Balance  uint64 `json:"balance,omitempty"` // smallest units
}

// Newcomer is a new person with their account.
type Newcomer struct {
	ID      uuid.UUID
	Email   string
	Name    string
	Pointer string // $wallet.example/ann
	Account uuid.UUID
	Balance ledger.Amount
}

// Person is a person as the commands print them.
type Person struct {
	ID      uuid.UUID `json:"id"`
	Email   string    `json:"email"`
	Name    string    `json:"name"`
	Pointer string    `json:"pointer"`
	Account uuid.UUID `json:"account"`
	Asset   string    `json:"asset"`
	Balance uint64    `json:"balance,string"` // smallest units
}

// record implements recorder.
func (p Person) record() []any {
	return []any{slog.Any("person", p.ID), slog.Any("account", p.Account)}
}

// AddPerson makes a person.
func (c Client) AddPerson(ctx context.Context, in NewPerson) (Person, error) {
	return do[Person](ctx, c, "/users/add", in)
}

func (s Services) addPerson(r *http.Request) (answer, error) {
	in, err := read[NewPerson](r)
	if err != nil {
		return answer{}, err
	}
	p, err := s.People.Add(r.Context(), in)
	if err != nil {
		return answer{}, err
	}
	out := Person{p.ID, p.Email, p.Name, p.Pointer, p.Account, p.Balance.Asset.String(), p.Balance.Value}
	return answer{body: out, amount: p.Balance.String(), state: p.Pointer}, nil
}
