package main

import (
	"time"

	"pochi/app/admin"
	"pochi/app/config"
	"pochi/app/rates"
)

type rateCommands struct {
	List   rateList   `cmd:"" help:"List what is in force in each direction, an object a line: what was set, what follows from it, and for the other pairs what POCHI_RATES says here."`
	Remove rateRemove `cmd:"" help:"Take a rate back that was set, in both directions. From the next packet on, what counts is what follows from the other rates and from POCHI_RATES: it is printed, if there is anything."`
	Set    rateSet    `cmd:"" help:"Set the rate of two currencies, from the next packet on, until it is set again or too old: then nothing is exchanged at it. It serves both directions, each with the spread. The value of TO follows it, with all that other set rates connect to TO; that of FROM stays."`
}

type rateList struct{}

func (rateList) Run(p *program) error {
	return withRates(func(cfg config.Config) error {
		table, err := cfg.RateTable()
		if err != nil {
			return err
		}
		return newLists(cfg, p).Rates(p.ctx, table)
	})
}

type rateSet struct {
	From      string        `arg:"" help:"The currency that is given, such as USD."`
	To        string        `arg:"" help:"The currency that is got."`
	Rate      string        `arg:"" help:"How many whole units of TO one whole unit of FROM buys: 0.9137 or 9/10."`
	SpreadBps int           `help:"What the wallet keeps of it, in hundredths of a percent: 0 to 9999." default:"0" placeholder:"N"`
	Valid     time.Duration `help:"For how long it is good." default:"24h"`
	Force     bool          `help:"Also if what one unit brings changes by more than 50 %, here or between other currencies."`
}

func (c rateSet) Run(p *program) error {
	return changeWith(withRates, p, func(client admin.Client) ([]admin.Rate, error) {
		return client.SetRate(p.ctx, rates.Change{
			From: c.From, To: c.To, Rate: c.Rate, SpreadBps: c.SpreadBps, Valid: c.Valid, Force: c.Force,
		})
	})
}

type rateRemove struct {
	From  string `arg:"" help:"One of the two currencies, such as USD."`
	To    string `arg:"" help:"The other one."`
	Force bool   `help:"Also if what one unit brings changes by more than 50 %, here or between other currencies."`
}

func (c rateRemove) Run(p *program) error {
	return changeWith(withRates, p, func(client admin.Client) ([]admin.Rate, error) {
		return client.RemoveRate(p.ctx, c.From, c.To, c.Force)
	})
}
