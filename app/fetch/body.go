package fetch

import (
	"context"
	"io"
)

// body is a response's body that ends in ErrTooLarge after left bytes.
type body struct {
	from   io.ReadCloser
	left   int64           // -1: there was more
	ctx    context.Context // the caller's: tells a cancelled read from a slow one
	cancel context.CancelFunc
}

// Read returns io.EOF, or an error of the client's three kinds.
func (b *body) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left+1 { // one more than is left tells a full body from a larger one
		p = p[:b.left+1]
	}
	n, err := b.from.Read(p)
	if int64(n) > b.left {
		n, b.left = int(b.left), -1
		return n, ErrTooLarge
	}
	b.left -= int64(n)
	if err != nil && err != io.EOF {
		err = kind(b.ctx, err)
	}
	return n, err
}

// Close ends the request.
func (b *body) Close() error {
	defer b.cancel()
	return b.from.Close()
}
