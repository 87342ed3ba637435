package payments

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"pochi/app/accounts"
	"pochi/app/agreements"
	"pochi/app/problem"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ledger"
)

// bill finds out what a charge costs. No money moves. Nothing that it says depends on
// what the account has.
func (s *Service) bill(ctx context.Context, req ChargeRequest) (bill, error) {
	ctx, cancel := context.WithTimeout(ctx, quoteTimeout)
	defer cancel()
	amount, err := parseUnits(req.Amount)
	if err != nil {
		return bill{}, err
	}
	receiver, err := s.Resolve(ctx, req.Receiver)
	if err != nil {
		return bill{}, err
	}
	use := agreements.Use{Amount: 1, Receiver: s.allowed(receiver)}
	if req.Fixed == FixedDebit {
		use.Amount = amount
	}
	allowance, err := s.Agreements.Allow(ctx, req.AgreementID, use) // before anybody else is asked
	if err != nil {
		return bill{}, err
	}
	a := allowance.Agreement
	account, err := s.agreementAccount(ctx, a)
	if err != nil {
		return bill{}, err
	}
	if receiver.Local != nil && receiver.Local.AccountID == account.ID {
		return bill{}, problem.Field("receiver", "This pointer pays the account that the agreement is about.")
	}
	if err := s.exchangeable(account, receiver); err != nil {
		return bill{}, err
	}
	p, c, err := s.pricing(ctx, account, receiver)
	if err != nil {
		return bill{}, err
	}
	b, err := s.priceCharge(ctx, p, a, req, amount)
	b.connection, b.allowed = c, use.Receiver
	return b, err
}

// agreementAccount is the account that pays. What it has is for the ledger to say.
func (s *Service) agreementAccount(ctx context.Context, a agreements.Agreement) (accounts.Account, error) {
	account, err := s.Accounts.Payer(ctx, a.UserID, a.AccountID)
	if problem.CodeOf(err) == problem.NotFound {
		return account, problem.New(problem.Conflict, "The account of this agreement was closed. Nothing was taken.").Because(err)
	}
	account.Available.Value = ledger.AmountMax
	return account, err
}

// priceCharge finds both sides of a charge, and what it uses of the agreement.
func (s *Service) priceCharge(ctx context.Context, p pricing, a agreements.Agreement, req ChargeRequest, amount uint64) (bill, error) {
	if req.Fixed == FixedReceive {
		return s.priceDelivery(ctx, p, a, req, amount)
	}
	cost := ledger.Amount{Value: amount, Asset: a.Amount.Asset}
	if err := sameAsset(req.Asset, cost.Asset, "The agreement"); err != nil {
		return bill{}, err
	}
	debit, err := s.worth(ctx, cost, p.account.Asset())
	if err != nil {
		return bill{}, err
	}
	receive, err := p.priceDebit(ctx, debit)
	if err != nil {
		return bill{}, err
	}
	return bill{Quote: s.newQuote(p, FixedDebit, debit, debit, receive), cost: cost}, nil
}

// priceDelivery prices a charge of which an amount is to arrive.
func (s *Service) priceDelivery(ctx context.Context, p pricing, a agreements.Agreement, req ChargeRequest, amount uint64) (bill, error) {
	asset, err := p.receiveAsset(ctx)
	if err != nil {
		return bill{}, err
	}
	if err := sameAsset(req.Asset, asset, "The receiver"); err != nil {
		return bill{}, err
	}
	want := ledger.Amount{Value: amount, Asset: asset}
	debit, receive, err := p.priceReceive(ctx, want)
	if err != nil {
		return bill{}, err
	}
	cost, err := s.costOf(ctx, debit, a.Amount.Asset)
	return bill{Quote: s.newQuote(p, FixedReceive, want, debit, receive), cost: cost}, err
}

// worth returns what an amount of an agreement is worth in its account's asset,
// rounded down.
func (s *Service) worth(ctx context.Context, amount ledger.Amount, asset ledger.Asset) (ledger.Amount, error) {
	out := ledger.Amount{Value: amount.Value, Asset: asset}
	if amount.Asset == asset {
		return out, nil
	}
	var err error
	out.Value, err = s.Rates.Convert(ctx, amount.Value, ilp.Asset(amount.Asset), ilp.Asset(asset))
	switch {
	case errors.Is(err, connector.ErrOverflow), err == nil && out.Value > ledger.AmountMax:
		return out, problem.Field("amount", "%s", ledger.ErrAmountTooLarge.Error())
	case err != nil:
		return out, agreementRate(err, amount.Asset, asset)
	case out.Value == 0:
		return out, problem.Field("amount", "The amount is too small: nothing of it would arrive.")
	}
	return out, nil
}

// costOf returns the least amount of an agreement that is worth a debit of its
// account. It looks for the most that is worth less, bit by bit from the highest.
func (s *Service) costOf(ctx context.Context, debit ledger.Amount, asset ledger.Asset) (ledger.Amount, error) {
	if debit.Asset == asset {
		return debit, nil
	}
	var less uint64
	for bit := 62; bit >= 0; bit-- {
		try := less | 1<<bit
		out, err := s.Rates.Convert(ctx, try, ilp.Asset(asset), ilp.Asset(debit.Asset))
		switch {
		case errors.Is(err, connector.ErrOverflow):
		case err != nil:
			return ledger.Amount{}, agreementRate(err, asset, debit.Asset)
		case out < debit.Value:
			less = try
		}
	}
	tooLarge := problem.Field("amount", "%s", ledger.ErrAmountTooLarge.Error())
	if less >= ledger.AmountMax {
		return ledger.Amount{}, tooLarge
	}
	cost := ledger.Amount{Value: less + 1, Asset: asset}
	worth, err := s.Rates.Convert(ctx, cost.Value, ilp.Asset(asset), ilp.Asset(debit.Asset))
	switch {
	case errors.Is(err, connector.ErrOverflow), err == nil && worth > ledger.AmountMax:
		return cost, tooLarge
	case err != nil || worth < debit.Value: // the rate has changed since the first look
		return cost, problem.New(problem.Unavailable, "The exchange rate is changing. Nothing was taken; try again.").Because(err)
	}
	return cost, nil
}

// agreementRate says that what is used of an agreement can't be found now.
func agreementRate(err error, from, to ledger.Asset) error {
	if !errors.Is(err, connector.ErrNoRate) && !errors.Is(err, connector.ErrStaleRate) {
		return fmt.Errorf("convert from %s to %s: %w", from, to, err)
	}
	return problem.New(problem.Unavailable, "This wallet has no current exchange rate from %s to %s. Nothing was taken; try again later.",
		from.Code, to.Code).Because(err)
}

// sameAsset refuses an amount in another asset than the app thinks.
func sameAsset(thought *ledger.Asset, is ledger.Asset, whose string) error {
	if thought == nil || *thought == is {
		return nil
	}
	return problem.Field("amount", "%s is in %s with %d decimals, not in %s with %d.", whose, is.Code, is.Scale, thought.Code, thought.Scale)
}

// parseUnits reads an amount in smallest units.
func parseUnits(text string) (uint64, error) {
	for _, digit := range []byte(text) {
		if digit < '0' || digit > '9' {
			return 0, problem.Field("amount", "Give the amount in the smallest unit, in digits.")
		}
	}
	amount, err := strconv.ParseUint(text, 10, 63)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, problem.Field("amount", "%s", ledger.ErrAmountTooLarge.Error())
	case err != nil:
		return 0, problem.Field("amount", "Give the amount in the smallest unit, in digits.")
	case amount == 0:
		return 0, problem.Field("amount", "%s", ledger.ErrAmountNegative.Error())
	}
	return amount, nil
}
