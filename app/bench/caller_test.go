package bench

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// caller is an HTTP/1.1 client with one connection, that takes next to no time of the processors: requests are bytes, and of an
// answer it reads only what is asked for.
type caller struct {
	conn net.Conn
	buf  []byte
}

func call(address string) (*caller, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &caller{conn, make([]byte, 4<<10)}, nil
}

func (c *caller) Close() { c.conn.Close() }

// reply is a response. It is valid until the next one.
type reply struct {
	status int
	header []byte
	body   []byte
}

// do sends a request and returns the response, which must say how long it is.
func (c *caller) do(request []byte) (reply, error) {
	if _, err := c.conn.Write(request); err != nil {
		return reply{}, err
	}
	filled, end := 0, -1
	for end < 0 {
		n, err := c.fill(filled)
		if err != nil {
			return reply{}, err
		}
		end = bytes.Index(c.buf[:n], []byte("\r\n\r\n"))
		filled = n
	}
	r := reply{header: c.buf[:end+2]}
	if len(r.header) < len("HTTP/1.1 200") {
		return reply{}, errors.New("there is no status")
	}
	status, err := strconv.Atoi(string(r.header[len("HTTP/1.1 "):len("HTTP/1.1 200")]))
	if err != nil {
		return reply{}, err
	}
	length, err := strconv.Atoi(string(r.field("Content-Length")))
	if err != nil {
		return reply{}, fmt.Errorf("status %d: %w", status, err)
	}
	all := end + len("\r\n\r\n") + length
	for filled < all {
		if filled, err = c.fill(filled); err != nil {
			return reply{}, err
		}
	}
	return reply{status, c.buf[:end+2], c.buf[end+len("\r\n\r\n") : all]}, nil
}

// fill reads more behind what the buffer holds, and returns how much it holds then.
func (c *caller) fill(filled int) (int, error) {
	if filled == len(c.buf) {
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	n, err := c.conn.Read(c.buf[filled:])
	return filled + n, err
}

// field returns the first value of a header that is spelled so, nil if there is none.
func (r reply) field(name string) []byte {
	return between(r.header, "\r\n"+name+": ", "\r\n")
}

// between returns what is in b between two strings, nil if they aren't there.
func between(b []byte, before, after string) []byte {
	_, rest, found := bytes.Cut(b, []byte(before))
	if !found {
		return nil
	}
	value, _, found := bytes.Cut(rest, []byte(after))
	if !found {
		return nil
	}
	return value
}
