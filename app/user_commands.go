package main

import "pochi/app/admin"

type userCommands struct {
	Add userAdd `cmd:"" help:"Add a person with an account and a payment pointer. A password on a command line can be seen by others who use this machine: @FILE stands for what is in FILE, @/dev/stdin for what comes on stdin."`
}

type userAdd struct {
	Email    string `required:"" placeholder:"E-MAIL" help:"What they log in with."`
	Password secret `required:"" placeholder:"PASSWORD" help:"And this."`
	Name     string `required:"" placeholder:"NAME" help:"What others see."`
	Pointer  string `required:"" placeholder:"NAME" help:"The payment pointer's part after the host."`
	Asset    string `required:"" placeholder:"CODE[/DECIMALS]" help:"The account's currency, such as USD."`
	Balance  uint64 `placeholder:"N" help:"What is on the account at first, in the currency's smallest unit."`
}

func (c userAdd) Run(p *program) error {
	in := admin.NewPerson{
		Email: c.Email, Password: string(c.Password), Name: c.Name, Pointer: c.Pointer, Asset: c.Asset, Balance: c.Balance,
	}
	return changeOne(p, func(client admin.Client) (admin.Person, error) { return client.AddPerson(p.ctx, in) })
}
