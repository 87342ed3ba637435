package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"pochi/app/config"
	"pochi/app/payments"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"
)

const about = "Pochi, a wallet on the Interledger. Environment variables configure it: pochi help lists them."

const hydraUsage = `
POCHI_HYDRA_SECRET is for Ory Hydra only: at least 16 characters; in dev one is made in DATA at the first start.
`

// commands is all that can be typed after pochi. A command is a struct with a
// method Run; its fields are its arguments and flags.
type commands struct {
	Serve     serveCommand     `cmd:"" help:"Serve the wallet until a signal."`
	Preflight preflightCommand `cmd:"" help:"Start as serve does, then end; exit 1 when it can't start."`
	Check     checkCommand     `cmd:"" help:"Verify every account, transfer, hold and payment, also beside a running wallet; exit 1 when something is wrong."`
	Backup    backupCommand    `cmd:"" help:"Copy the database into a new file, also beside a running wallet."`
	Restore   restoreCommand   `cmd:"" help:"Make the database from a backup, where there is none. Payments that were on their way then wait for review."`
	Admin     adminCommands    `cmd:"" help:"Look after money that needs somebody's decision. What these print is JSON."`
	Help      helpCommand      `cmd:"" help:"Say what a command does; without one, list all of them and the environment variables."`
}

// program is what a command runs in.
type program struct {
	ctx    context.Context
	out    io.Writer
	parser *kong.Kong
}

// run parses the arguments and does what they say. What is asked for goes to
// out; an error is for the caller to show.
func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		args = []string{"help"}
	}
	helped := false
	parser, err := kong.New(&commands{}, kong.Name("pochi"), kong.Description(about), kong.Help(printHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}),
		kong.Writers(out, io.Discard), kong.Exit(func(int) { helped = true }))
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	switch {
	case helped: // by --help, whatever else is missing
		return nil
	case err != nil:
		return hinted(err)
	}
	return command.Run(&program{ctx, out, parser})
}

// hinted adds to what is wrong with the arguments where help is.
func hinted(err error) error {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil && wrong.Context.Selected() != nil {
		return fmt.Errorf("%w; pochi help %s says more", err, wrong.Context.Selected().Path())
	}
	return fmt.Errorf("%w; pochi help lists the commands", err)
}

// printHelp prints the help of a command; that of the whole program has the
// environment variables too.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil || ctx.Selected() != nil {
		return err
	}
	_, err := fmt.Fprint(ctx.Stdout, "\n", config.Table(), hydraUsage)
	return err
}

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command, such as: admin suspense."`
}

func (c *helpCommand) Run(p *program) error {
	ctx, err := kong.Trace(p.parser, c.Command)
	if err != nil {
		return err
	}
	if ctx.Error != nil {
		return hinted(ctx.Error)
	}
	return ctx.PrintUsage(false)
}

type serveCommand struct{}

func (serveCommand) Run(p *program) error {
	return withConfig(func(cfg config.Config) error { return serve(p.ctx, cfg, p.out) })
}

type preflightCommand struct{}

func (preflightCommand) Run(p *program) error {
	return withConfig(func(cfg config.Config) error { return preflight(p.ctx, cfg) })
}

type checkCommand struct{}

func (checkCommand) Run(p *program) error {
	return withConfig(func(cfg config.Config) error { return check(p.ctx, cfg, p.out) })
}

type backupCommand struct {
	File string `arg:"" help:"The file to write. It must not be there yet."`
}

func (c backupCommand) Run(p *program) error {
	return withConfig(func(cfg config.Config) error { return backup(p.ctx, cfg, c.File, p.out) })
}

type restoreCommand struct {
	File string `arg:"" help:"A file that backup wrote."`
}

func (c restoreCommand) Run(p *program) error {
	return withConfig(func(cfg config.Config) error { return restore(p.ctx, cfg, c.File, p.out) })
}

// adminCommands print JSON: lists an object a line, all others the thing that
// they changed as it is now. A running wallet does what they ask for; without
// one they do it themselves.
type adminCommands struct {
	Suspense suspenseCommands `cmd:"" help:"What was on its way to another wallet when this one crashed."`
	Payment  paymentCommands  `cmd:"" help:"Payments that people send."`
}

type suspenseCommands struct {
	List    suspenseList    `cmd:"" help:"List what has to be settled with other wallets, an object a line."`
	Release suspenseRelease `cmd:"" help:"It didn't arrive: give it back to whom it came from."`
	Pay     suspensePay     `cmd:"" help:"It arrived: pay it to the other wallet's account."`
}

type suspenseList struct {
	All bool `help:"Those too that were released or paid."`
}

type suspenseRelease struct {
	Item int64 `arg:"" help:"The item's number in the list."`
}

type suspensePay struct {
	Item int64 `arg:"" help:"The item's number in the list."`
}

type paymentCommands struct {
	List   paymentList   `cmd:"" help:"List payments, oldest first, an object a line."`
	Return paymentReturn `cmd:"" help:"End a payment that needs review: what it still has reserved goes back to its account."`
}

type paymentList struct {
	State []payments.State `help:"Only those in one of these states, separated by commas: ${enum}." enum:"sending,needs_review,completed,failed" placeholder:"STATE"`
}

type paymentReturn struct {
	ID uuid.UUID `arg:"" help:"The payment's id in the list."`
}
