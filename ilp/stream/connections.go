package stream

import (
	"strings"
	"sync"
)

// maxConnections is how many connections a Receiver keeps, each of about two kilobytes.
const maxConnections = 1024

// connections keeps those that packets came for lately, by the token in their address. When the younger half is full, the
// older one is forgotten: what is in use has moved to the younger one by then. The zero value is empty.
type connections struct {
	mu             sync.Mutex
	younger, older map[string]*Connection
}

// find returns the connection of a token, or nil.
func (k *connections) find(token string) *Connection {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c := k.younger[token]; c != nil {
		return c
	}
	c := k.older[token]
	if c != nil {
		k.put(token, c)
	}
	return c
}

// add keeps a connection.
func (k *connections) add(token string, c *Connection) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.put(token, c)
}

func (k *connections) put(token string, c *Connection) {
	if len(k.younger) >= maxConnections/2 {
		k.older, k.younger = k.younger, nil
	}
	if k.younger == nil {
		k.younger = make(map[string]*Connection)
	}
	k.younger[strings.Clone(token)] = c // without the rest of its address
}
