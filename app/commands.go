package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

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
	Admin     adminCommands    `cmd:"" help:"Look after peers, people, exchange rates, clients, and money that needs somebody's decision. What these print is JSON."`
	ILP       ilpCommands      `cmd:"" name:"ilp" help:"Look at Interledger packets."`
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
		kong.TypeMapper(reflect.TypeFor[uuid.UUID](), kong.MapperFunc(decodeID)),
		kong.TypeMapper(reflect.TypeFor[*uuid.UUID](), kong.MapperFunc(decodeID)),
		kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(decodeTime)),
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
		return hinted(masked(signed(err, args), parser.Model.Node, args))
	}
	return command.Run(&program{ctx, out, parser})
}

// masked hides in what is wrong with the arguments the secrets that are among
// them: errors go to logs.
func masked(err error, program *kong.Node, args []string) error {
	var wrong *kong.ParseError
	if !errors.As(err, &wrong) {
		return err
	}
	text := err.Error()
	for _, value := range secretsIn(program, args) {
		text = strings.NewReplacer(value, "(secret)", strings.Trim(strconv.Quote(value), `"`), "(secret)").Replace(text)
	}
	return &restated{ParseError: wrong, text: text}
}

// secretsIn returns the arguments that stand where a flag wants a secret.
func secretsIn(program *kong.Node, args []string) (values []string) {
	var names []string
	_ = kong.Visit(program, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok && strings.HasSuffix(flag.Target.Type().String(), "main.secret") {
			names = append(names, "--"+flag.Name)
		}
		return next(nil)
	})
	for i, arg := range args {
		name, value, joined := strings.Cut(arg, "=")
		if !slices.Contains(names, name) {
			continue
		}
		if !joined && i+1 < len(args) {
			value = args[i+1]
		}
		if value != "" {
			values = append(values, value)
		}
	}
	return values
}

// restated is a ParseError in other words.
type restated struct {
	*kong.ParseError
	text string
}

func (r *restated) Error() string { return r.text }
func (r *restated) Unwrap() error { return r.ParseError }

// signed says of a negative number what is wrong: the parser takes it for a flag.
func signed(err error, args []string) error {
	var wrong *kong.ParseError
	for _, arg := range args {
		n, notNumber := strconv.ParseInt(arg, 10, 64)
		if notNumber == nil && n < 0 && errors.As(err, &wrong) {
			return &restated{wrong, fmt.Sprintf("%d: a number can't be negative", n)}
		}
	}
	return err
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
	out := ctx.Stdout
	var text strings.Builder
	ctx.Stdout = &text
	err := kong.DefaultHelpPrinter(options, ctx)
	ctx.Stdout = out
	if err != nil {
		return err
	}
	if ctx.Selected() == nil {
		fmt.Fprint(&text, "\n", config.Table(), hydraUsage)
	}
	_, err = io.WriteString(out, alternatives(ctx.Model.Node, text.String()))
	return err
}

// alternatives tells flags of which exactly one is required from those that all
// are.
func alternatives(program *kong.Node, help string) string {
	_ = kong.Visit(program, func(node kong.Visitable, next kong.Next) error {
		command, ok := node.(*kong.Node)
		if !ok {
			return next(nil)
		}
		var either []string
		for _, flag := range command.Flags {
			if flag.Required && len(flag.Xor) > 0 {
				either = append(either, flag.Summary())
			}
		}
		if len(either) > 1 {
			help = strings.ReplaceAll(help, strings.Join(either, " "), "("+strings.Join(either, " | ")+")")
		}
		return next(nil)
	})
	return help
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
		return among(ctx)
	}
	return ctx.PrintUsage(false)
}

// among says which commands there are where one was asked for that isn't.
func among(ctx *kong.Context) error {
	group := ctx.Selected()
	if group == nil || len(group.Children) == 0 {
		return hinted(ctx.Error)
	}
	var names []string
	for _, child := range group.Children {
		names = append(names, child.Name)
	}
	return fmt.Errorf("%w; the commands of %s are: %s", ctx.Error, group.Path(), strings.Join(names, ", "))
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
	return withFiles(func(cfg config.Config) error { return check(p.ctx, cfg, p.out) })
}

type backupCommand struct {
	File string `arg:"" help:"The file to write. It must not be there yet."`
}

func (c backupCommand) Run(p *program) error {
	return withFiles(func(cfg config.Config) error { return backup(p.ctx, cfg, c.File, p.out) })
}

type restoreCommand struct {
	File string `arg:"" help:"A file that backup wrote."`
}

func (c restoreCommand) Run(p *program) error {
	return withFiles(func(cfg config.Config) error { return restore(p.ctx, cfg, c.File, p.out) })
}

type ilpCommands struct {
	Decode ilpDecode `cmd:"" help:"Print the packet on stdin as JSON: hex, also with white space and newlines, or binary. Octets are hex, STREAM data still encrypted. Exit 1, naming the defect, when it is malformed."`
}

type ilpDecode struct{}

// adminCommands print JSON: lists an object a line, all others the thing that
// they changed as it is now. A running wallet does what they ask for; without
// one they do it themselves.
type adminCommands struct {
	Suspense suspenseCommands `cmd:"" help:"What was on its way to another wallet when this one crashed. Agree with that wallet on what arrived, then release or pay. The items of a group are settled together, and all printed. Everything may be repeated."`
	Payment  paymentCommands  `cmd:"" help:"Payments that people send."`
	Peer     peerCommands     `cmd:"" help:"Other Interledger nodes that packets are exchanged with. Changes hold at once, also in a running wallet. Amounts are integers, in the smallest unit of the peer's asset."`
	User     userCommands     `cmd:"" help:"People of this wallet."`
	Rate     rateCommands     `cmd:"" help:"Exchange rates."`
	App      appCommands      `cmd:"" help:"Apps of people's, which ask others to log in with this wallet and for agreements."`
	Client   clientCommands   `cmd:"" help:"Programs of the wallet's own, such as a back office, that call its APIs as themselves. Apps of other people aren't among them."`
}

type suspenseCommands struct {
	List    suspenseList    `cmd:"" help:"List what has to be settled with other wallets, an object a line."`
	Release suspenseRelease `cmd:"" help:"The other wallet agrees that it didn't arrive: give the item, and its group, back to whom it came from."`
	Pay     suspensePay     `cmd:"" help:"The other wallet agrees that it arrived: pay the item, and its group, to the other wallet's account."`
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
	State stateList `help:"Only those in one of these states, separated by commas: sending, needs_review, completed, failed." placeholder:"STATE"`
}

var states = []payments.State{payments.Sending, payments.NeedsReview, payments.Completed, payments.Failed}

// stateList is a list of states, separated by commas.
type stateList []payments.State

// Decode implements kong.MapperValue.
func (l *stateList) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("state", &text); err != nil {
		return err
	}
	for name := range strings.SplitSeq(text, ",") {
		state := payments.State(strings.TrimSpace(name))
		if !slices.Contains(states, state) {
			return fmt.Errorf("%q is no state: it must be sending, needs_review, completed or failed", state)
		}
		*l = append(*l, state)
	}
	return nil
}

// decodeID reads an id, or one that may be missing. It implements kong.MapperFunc.
func decodeID(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("id", &text); err != nil {
		return err
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return fmt.Errorf("%q is no id: copy it whole from the list", text)
	}
	if target.Kind() == reflect.Pointer {
		target.Set(reflect.ValueOf(&id))
	} else {
		target.Set(reflect.ValueOf(id))
	}
	return nil
}

// decodeTime reads a length of time. It implements kong.MapperFunc.
func decodeTime(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("time", &text); err != nil {
		return err
	}
	long, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is no length of time such as 24h or 90m", text)
	}
	target.SetInt(int64(long))
	return nil
}

type paymentReturn struct {
	ID uuid.UUID `arg:"" help:"The payment's id in the list."`
}
