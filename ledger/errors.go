package ledger

import (
	"errors"
	"fmt"
)

// Why a command is refused.
var (
	ErrAmount           = errors.New("the amount is 0 or above 2^63-1")
	ErrOverflow         = errors.New("a total, with what is on its way, would exceed 2^63-1")
	ErrInsufficient     = errors.New("the account's limit does not allow this debit")
	ErrSameAccount      = errors.New("debit and credit account are the same")
	ErrLedgerMismatch   = errors.New("the accounts are on different ledgers")
	ErrLedgerUnknown    = errors.New("there is no such ledger")
	ErrAccountUnknown   = errors.New("there is no such account")
	ErrAccountExists    = errors.New("an account with this id exists")
	ErrAccountClosed    = errors.New("the account is closed")
	ErrNotEmpty         = errors.New("the account is not empty")
	ErrHoldUnknown      = errors.New("there is no such open hold")
	ErrHoldExists       = errors.New("a hold with this reference and these accounts exists")
	ErrHoldExceeded     = errors.New("the hold has less than this left")
	ErrHoldExpired      = errors.New("the hold has expired")
	ErrHoldInFlight     = errors.New("some of the hold is in flight")
	ErrHoldToward       = errors.New("some of the hold is in flight toward another account")
	ErrCommand          = errors.New("this is not a command by value")
	ErrTransferUnknown  = errors.New("there is no such transfer")
	ErrLimit            = errors.New("a page has 1 to 1,000 lines")
	ErrID               = errors.New("the id is no UUIDv7, or of a time to come")
	ErrHouseAccount     = errors.New("an account of the house is not closed")
	ErrSuspenseAccount  = errors.New("a suspense account moves with its items only")
	ErrSuspenseUnknown  = errors.New("there is no such item in suspense")
	ErrSuspenseResolved = errors.New("the item in suspense was resolved before")
	ErrExists           = errors.New("this transfer was posted before")
	ErrExistsDifferent  = errors.New("another transfer has this id")
)

// ErrDamaged: Open found that the chain of batches doesn't end where it did.
// Going on would hide that.
var ErrDamaged = errors.New("the last batches of the ledger were changed: run `pochi check`, and restore a backup")

// Error says which command of a chain was refused and why. Errors.Is finds the
// reason.
type Error struct {
	Index   int
	Command Command
	Err     error
}

// Error describes the refusal, for the log.
func (e *Error) Error() string {
	return fmt.Sprintf("command %d, %T: %v", e.Index, e.Command, e.Err)
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }
