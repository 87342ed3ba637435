package payments

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"pochi/app/accounts"
	"pochi/app/problem"
	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/connector"
	"pochi/ilp/spsp"
	"pochi/ilp/stream"
	"pochi/ledger"
)

// pricing finds both sides of a quote.
type pricing struct {
	account  accounts.Account
	receiver Receiver
	rates    Rates
	own      address.Address // our node's
	// probe asks what arrives of an amount, probeReceive of which amount at least another arrives: what is then the promise.
	probe, probeReceive func(ctx context.Context, amount uint64) (stream.Probe, error)
	asset               func(ctx context.Context) (ilp.Asset, error) // the receiver's
	limit               func() (most uint64, known bool)             // of what the receiver takes, once it was asked something
	invoice             spsp.Invoice                                 // what it asks for
}

// price returns what was asked for and both sides.
func (p pricing) price(ctx context.Context, req QuoteRequest) (asked, debit, receive ledger.Amount, err error) {
	asset := p.account.Asset()
	if req.Fixed == FixedReceive {
		if asset, err = p.receiveAsset(ctx); err != nil {
			return asked, debit, receive, err
		}
	}
	if asked, err = parseAmount(req.Amount, asset); err != nil {
		return asked, debit, receive, err
	}
	if req.Fixed == FixedReceive {
		debit, receive, err = p.priceReceive(ctx, asked)
		return asked, debit, receive, err
	}
	receive, err = p.priceDebit(ctx, asked)
	return asked, asked, receive, err
}

// priceDebit finds what arrives of a debit.
func (p pricing) priceDebit(ctx context.Context, debit ledger.Amount) (receive ledger.Amount, err error) {
	if err := p.affordable(debit); err != nil {
		return receive, err
	}
	probe, err := p.believed(p.probe(ctx, debit.Value))
	if err != nil {
		return receive, p.probeProblem(err)
	}
	receive = ledger.Amount{Value: p.promise(probe), Asset: ledger.Asset(probe.Asset)}
	if receive.Value == 0 {
		return receive, p.probeProblem(&stream.Failure{Reason: stream.TooSmall})
	}
	return receive, cmp.Or(p.fits(receive), p.fair(ctx, debit, receive))
}

// believed is a probe if its answer can be one.
func (p pricing) believed(probe stream.Probe, err error) (stream.Probe, error) {
	if err == nil && p.receiver.Local == nil {
		err = plausible(probe.Asset, probe.Received)
	}
	return probe, err
}

// plausible is a *stream.Failure if a receiver claims what no wallet would: an asset
// or an amount that can't be shown or written down.
func plausible(asset ilp.Asset, received uint64) error {
	odd := func(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	if asset.Scale <= ledger.ScaleMax && len(asset.Code) >= 2 && len(asset.Code) <= 10 &&
		!strings.ContainsFunc(asset.Code, odd) && received <= ledger.AmountMax {
		return nil
	}
	return &stream.Failure{Reason: stream.BadAnswer, Err: fmt.Errorf("the receiver claims %d of %q/%d", received, asset.Code, asset.Scale)}
}

// promise returns what a probe lets a quote promise. On the way to another
// wallet an amount may have to go in twice as many packets as it seems now,
// and each rounds down; within this wallet it goes in one.
func (p pricing) promise(probe stream.Probe) uint64 {
	if p.receiver.Local != nil {
		return probe.Received
	}
	return probe.AtLeast(2 * probe.Packets)
}

// pathCosts is how much less than by this wallet's own rate may arrive at
// another wallet, in thousandths: what the way to it may keep. A quote shows
// that rate, and whoever is on the way could name any other.
const pathCosts = 15

// fair refuses what brings much less than this wallet's own rate says, beyond
// what rounding takes of small amounts. A currency that has no rate here is
// for the person to judge.
func (p pricing) fair(ctx context.Context, debit, receive ledger.Amount) error {
	if p.receiver.Local != nil {
		return nil
	}
	worth, err := p.rates.Convert(ctx, debit.Value, ilp.Asset(debit.Asset), ilp.Asset(receive.Asset))
	switch {
	case errors.Is(err, connector.ErrNoRate):
		return nil
	case errors.Is(err, connector.ErrStaleRate):
		return rateProblem(err, debit.Asset.Code, receive.Asset.Code)
	case errors.Is(err, connector.ErrOverflow):
		return p.probeProblem(&stream.Failure{Reason: stream.TooLarge, Err: err})
	case err != nil:
		return fmt.Errorf("compare with this wallet's rate: %w", err)
	}
	const rounding = 2 // units, of the quote's own
	if receive.Value+rounding >= worth-worth/1000*pathCosts-worth%1000*pathCosts/1000 {
		return nil
	}
	return problem.Field("to", "Only %s would arrive of %s: the way to the other wallet takes too much.", receive.Whole(), debit.Whole())
}

// rateProblem says why one currency can't be exchanged into another now.
func rateProblem(err error, from, to string) error {
	switch {
	case errors.Is(err, connector.ErrStaleRate):
		return problem.Field("to", "This wallet's exchange rate from %s to %s is out of date. Try again later.", from, to).Because(err)
	case errors.Is(err, connector.ErrNoRate):
		return problem.Field("to", "This wallet has no exchange rate from %s to %s right now.", from, to).Because(err)
	}
	return err
}

// priceReceive finds the smallest debit of which at least the wanted amount
// arrives. Within this wallet what really arrives of it is quoted, and to another
// wallet the wanted amount: it is paid for until that has arrived.
func (p pricing) priceReceive(ctx context.Context, want ledger.Amount) (debit, receive ledger.Amount, err error) {
	probe, err := p.believed(p.probeReceive(ctx, want.Value))
	if err == nil && ledger.Asset(probe.Asset) != want.Asset {
		err = &stream.Failure{Reason: stream.AssetChanged}
	}
	if err != nil {
		return debit, receive, p.probeProblem(err)
	}
	debit = ledger.Amount{Value: probe.Sent, Asset: p.account.Asset()}
	receive = ledger.Amount{Value: p.promise(probe), Asset: want.Asset}
	promised := want // to another wallet what isn't needed of the debit goes back
	if p.receiver.Local != nil {
		promised = receive
	}
	return debit, promised, cmp.Or(p.fits(promised), p.affordable(debit), p.fair(ctx, debit, receive))
}

// receiveAsset learns in which asset the receiver is paid. It asks without an amount:
// what the payer has is nobody's business on the way.
func (p pricing) receiveAsset(ctx context.Context) (ledger.Asset, error) {
	if p.receiver.Local != nil {
		return p.receiver.Local.Asset, nil
	}
	asset, err := p.asset(ctx)
	if err = cmp.Or(err, plausible(asset, 0)); err != nil {
		return ledger.Asset{}, p.probeProblem(err)
	}
	return ledger.Asset(asset), nil
}

func (p pricing) affordable(debit ledger.Amount) error {
	if debit.Value <= p.account.Available.Value {
		return nil
	}
	return problem.Field("amount", "This needs %s, and %s has %s.", debit.Whole(), p.account.Name, p.account.Available.Whole())
}

func parseAmount(text string, asset ledger.Asset) (ledger.Amount, error) {
	amount, err := ledger.ParseAmount(text, asset)
	if err != nil {
		return amount, problem.Field("amount", "%s", err.Error())
	}
	return amount, nil
}

// probeProblem puts a failed probe beside the field that can mend it.
func (p pricing) probeProblem(err error) error {
	var failure *stream.Failure
	if !errors.As(err, &failure) {
		return fmt.Errorf("probe: %w", err)
	}
	field := "to"
	switch failure.Reason {
	case stream.TooSmall, stream.TooLarge, stream.Illiquid:
		field = "amount"
	}
	return problem.Field(field, "%s", failureText(failure, p.receiver.Local != nil, p.own)).Because(err)
}
