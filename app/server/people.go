package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pochi/app/accounts"
	"pochi/app/admin"
	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/app/users"
	"pochi/db"
	"pochi/ledger"
)

// people adds people for admins: it implements admin.People.
type people struct {
	db       *db.DB
	users    *users.Service
	accounts *accounts.Service
	host     string
}

// Add implements admin.People.
func (p people) Add(ctx context.Context, in admin.NewPerson) (admin.Newcomer, error) {
	opening := payments.Opening{Opener: p.accounts, DB: p.db, Balance: in.Balance, Now: time.Now}
	user, err := p.users.Add(ctx, users.SignUp{
		Name: in.Name, Email: in.Email, Password: in.Password, Pointer: in.Pointer, Currency: in.Asset,
	}, opening)
	switch {
	case errors.Is(err, users.ErrEmailTaken):
		return admin.Newcomer{}, problem.New(problem.Conflict,
			"Somebody has the e-mail %s already. Nothing was done; each person needs one of their own.", in.Email).Because(users.ErrEmailTaken)
	case errors.Is(err, ledger.ErrInsufficient), errors.Is(err, ledger.ErrOverflow):
		return admin.Newcomer{}, problem.Field("balance", "All that the house has given out in this currency would be more than an amount can be. Nothing was done.").Because(err)
	case err != nil:
		return admin.Newcomer{}, underFlags(err)
	}
	owned, err := p.accounts.List(ctx, user.ID)
	if err != nil {
		return admin.Newcomer{}, err
	}
	pointers, err := p.accounts.Pointers(ctx, user.ID)
	if err != nil {
		return admin.Newcomer{}, err
	}
	if len(owned) == 0 || len(pointers) == 0 {
		return admin.Newcomer{}, fmt.Errorf("%s was added, but has no account or pointer by now", user.Email)
	}
	return admin.Newcomer{
		ID: user.ID, Email: user.Email, Name: user.Name, Pointer: "$" + p.host + "/" + pointers[0].Name,
		Account: owned[0].ID, Balance: owned[0].Available,
	}, nil
}

// underFlags names what is wrong as the command's flags are named.
func underFlags(err error) error {
	var all problem.Errors
	if !errors.As(err, &all) {
		return err
	}
	named := make(problem.Errors, len(all))
	for i, each := range all {
		renamed := *each
		if renamed.Field == "currency" {
			renamed.Field, renamed.Message = "asset", "Choose one of the wallet's POCHI_CURRENCIES, such as USD or USD/2."
		}
		named[i] = &renamed
	}
	return named
}
