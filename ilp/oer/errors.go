package oer

// Error names a defect in encoded bytes. It is a constant, so it can be compared with errors.Is.
type Error string

// Error returns the defect in words.
func (e Error) Error() string { return "oer: " + string(e) }

// The defects that a Reader finds.
const (
	// ErrShort: a field is longer than what is left of the bytes.
	ErrShort Error = "field is longer than the bytes that are left"
	// ErrLengthForm: a length determinant without octets (0x80) or with more than eight.
	ErrLengthForm Error = "length determinant has an impossible form"
	// ErrLengthNotCanonical: a length that has a shorter encoding.
	ErrLengthNotCanonical Error = "length determinant is not in its shortest form"
	// ErrUintEmpty: a VarUInt of no octets; zero is one octet.
	ErrUintEmpty Error = "variable-length integer has no octets"
	// ErrUintNotCanonical: a VarUInt that begins with a zero octet which it doesn't need.
	ErrUintNotCanonical Error = "variable-length integer is not in its shortest form"
	// ErrUintTooLarge: a VarUInt above 2^64-1.
	ErrUintTooLarge Error = "variable-length integer is above 2^64-1"
)
