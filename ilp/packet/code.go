package packet

// Code is the three-character reason of a Reject. Its first letter is its family: F is final, T is temporary, R is
// relative to the amount or time that the Prepare had. Codes that RFC 27 doesn't list are read by their family.
type Code string

// The codes of RFC 27, section 3.3.
const (
	BadRequest         Code = "F00"
	InvalidPacket      Code = "F01"
	Unreachable        Code = "F02"
	InvalidAmount      Code = "F03"
	InsufficientAmount Code = "F04" // the receiver found the destination amount too low
	WrongCondition     Code = "F05"
	UnexpectedPayment  Code = "F06" // the receiver doesn't know what it is for, or can't decrypt it
	CannotReceive      Code = "F07"
	TooLarge           Code = "F08" // Data is an AmountTooLarge
	ApplicationError   Code = "F99" // Data is the application's

	InternalError         Code = "T00"
	PeerUnreachable       Code = "T01"
	PeerBusy              Code = "T02"
	ConnectorBusy         Code = "T03"
	InsufficientLiquidity Code = "T04"
	RateLimited           Code = "T05"
	TemporaryError        Code = "T99"

	TimedOut            Code = "R00" // the next party didn't answer in time
	InsufficientSource  Code = "R01" // too little to forward, zero or less
	InsufficientTimeout Code = "R02" // too little time to forward
	RelativeError       Code = "R99"
)

// Temporary reports whether the same packet may succeed later.
func (c Code) Temporary() bool { return c != "" && c[0] == 'T' }

// wellFormed reports whether c is a family's letter and two digits.
func (c Code) wellFormed() bool {
	digit := func(b byte) bool { return '0' <= b && b <= '9' }
	return len(c) == 3 && (c[0] == 'F' || c[0] == 'T' || c[0] == 'R') && digit(c[1]) && digit(c[2])
}

// codeOf returns the code that stands in b, without an allocation if RFC 27 lists it.
func codeOf(b []byte) Code {
	for _, c := range codes {
		if string(b) == string(c) {
			return c
		}
	}
	return Code(b)
}

// codes are all that RFC 27 lists.
var codes = [...]Code{
	BadRequest, InvalidPacket, Unreachable, InvalidAmount, InsufficientAmount, WrongCondition, UnexpectedPayment, CannotReceive,
	TooLarge, ApplicationError, InternalError, PeerUnreachable, PeerBusy, ConnectorBusy, InsufficientLiquidity, RateLimited,
	TemporaryError, TimedOut, InsufficientSource, InsufficientTimeout, RelativeError,
}

// Codes returns all that RFC 27 lists.
func Codes() []Code { return append([]Code(nil), codes[:]...) }

// Name returns what RFC 27 calls the code, or "" for a code it doesn't list.
func (c Code) Name() string {
	switch c {
	case BadRequest:
		return "Bad Request"
	case InvalidPacket:
		return "Invalid Packet"
	case Unreachable:
		return "Unreachable"
	case InvalidAmount:
		return "Invalid Amount"
	case InsufficientAmount:
		return "Insufficient Destination Amount"
	case WrongCondition:
		return "Wrong Condition"
	case UnexpectedPayment:
		return "Unexpected Payment"
	case CannotReceive:
		return "Cannot Receive"
	case TooLarge:
		return "Amount Too Large"
	case ApplicationError:
		return "Application Error"
	case InternalError:
		return "Internal Error"
	case PeerUnreachable:
		return "Peer Unreachable"
	case PeerBusy:
		return "Peer Busy"
	case ConnectorBusy:
		return "Connector Busy"
	case InsufficientLiquidity:
		return "Insufficient Liquidity"
	case RateLimited:
		return "Rate Limited"
	case TemporaryError:
		return "Temporary Application Error"
	case TimedOut:
		return "Transfer Timed Out"
	case InsufficientSource:
		return "Insufficient Source Amount"
	case InsufficientTimeout:
		return "Insufficient Timeout"
	case RelativeError:
		return "Relative Application Error"
	}
	return ""
}

func (c Code) label() string {
	if name := c.Name(); name != "" {
		return string(c) + " " + name
	}
	return printable(string(c))
}
