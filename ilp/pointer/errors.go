package pointer

// Error says in one plain sentence why something is no payment pointer. It is a constant, so it can be compared with
// errors.Is.
type Error string

// Error returns the sentence.
func (e Error) Error() string { return string(e) }

// The reasons for which a Parser refuses.
const (
	ErrEmpty      Error = "Enter a payment pointer, like $wallet.example/ann."
	ErrForm       Error = "A payment pointer starts with $ or https://, like $wallet.example/ann."
	ErrTwoForms   Error = "Write the payment pointer with either $ or https:// in front, not both."
	ErrPlainHTTP  Error = "A payment pointer can't start with http://; use $ or https://."
	ErrTooLong    Error = "A payment pointer can't be longer than 1,000 characters."
	ErrCharacters Error = "A payment pointer can only have plain letters, digits and signs, and no spaces."
	ErrNoHost     Error = "This payment pointer names no wallet: write the wallet's host after the $, like $wallet.example/ann."
	ErrHost       Error = "The host in this payment pointer is not a valid name."
	ErrUser       Error = "A payment pointer can't have a name or password before the host."
	ErrPort       Error = "A payment pointer can't have a port number."
	ErrQuery      Error = "A payment pointer can't have a question mark in it."
	ErrFragment   Error = "A payment pointer can't have a # in it."
	ErrPath       Error = "The part after the host in this payment pointer is not valid."
)

// maxLength is the longest pointer that is read, in bytes.
const maxLength = 1000
