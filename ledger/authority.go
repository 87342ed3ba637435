package ledger

import "context"

// Authority is counted like money, on a ledger of its own beside each asset's.
// An allowance is an account there, with the balance 0 and the code
// CodeAuthority, whose limit is how much may be used: one for each interval of
// an agreement. A cap on what an incoming payment receives is one with CodeCap;
// its debits are what arrived. A leg that uses it debits it and credits the
// ledger's account of what is used, HouseAccount(a.Authority(), CodeUsed), in
// the chain that moves the money: one checks and records both. The first chain
// that uses an allowance opens it, with OpenAccount.IfAbsent. What comes back
// is credited to the allowance it was taken from. One that is quiet leaves
// memory.

// Authority returns the name of the asset's ledger of authority.
func (a Asset) Authority() Asset { return Asset{a.Code + " authority", a.Scale} }

// OpenAuthority makes an asset's ledger of authority, unless it is there, and
// returns it. Errors: as OpenAsset's.
func (l *Ledger) OpenAuthority(ctx context.Context, asset Asset) (uint32, error) {
	return l.openLedger(ctx, openAsset{asset.Authority(), []houseAccount{{CodeUsed, 0}}})
}

// OpenAllowance is the command that opens an allowance's account, with its ledger of
// authority and what it is an allowance of: its UserData, by which it is found
// again. One that is there stays as it is, but is lowered to the limit if it has more.
func OpenAllowance(id ID, ledger uint32, of ID, limit uint64) OpenAccount {
	return OpenAccount{ID: id, Ledger: ledger, Code: CodeAuthority, UserData: of, Limit: limit, IfAbsent: true}
}
