package ilphttp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"sync/atomic"
)

// Peer is who is at the other end of a link.
type Peer struct {
	// ID tells peers apart.
	ID [16]byte
	// Name is for logs.
	Name string
	// MaxInFlight is how many of its packets are worked on at once; 0 is the server's default.
	MaxInFlight int
	// Callback is where the replies to its packets go if it asks for asynchronous mode; nil if it can't have that: then it gets
	// them in the response, which RFC 7240 allows.
	Callback *Callback
}

// Peers knows whose a token is. A Directory is one.
type Peers interface {
	// PeerByToken returns the peer that has a token with this hash. It is called for every request, so it answers from
	// memory, and how long it takes says nothing about the hashes that there are.
	PeerByToken(hash TokenHash) (Peer, bool)
}

// Credentials are the tokens with which a peer may call. There are several while one replaces another.
type Credentials struct {
	Peer   Peer
	Tokens []TokenHash
}

// Directory is the Peers that were last set. The zero Directory knows nobody. It is safe for concurrent use.
type Directory struct {
	table atomic.Pointer[table]
}

// table finds tokens by a second hash, made with a salt that nobody knows: so the time that a lookup takes can't be steered
// towards a token's hash, and the comparison after it takes constant time.
type table struct {
	salt [16]byte
	rows map[[sha256.Size]byte]row
}

type row struct {
	hash TokenHash
	peer Peer
}

// Set replaces all peers at once, for every request from now on. It fails, and changes nothing, as CheckCredentials says.
func (d *Directory) Set(peers []Credentials) error {
	t, err := newTable(peers)
	if err != nil {
		return err
	}
	d.table.Store(t)
	return nil
}

// CheckCredentials says why Directory.Set would fail: two peers have the same token.
func CheckCredentials(peers []Credentials) error {
	_, err := newTable(peers)
	return err
}

func newTable(peers []Credentials) (*table, error) {
	t := &table{rows: make(map[[sha256.Size]byte]row, len(peers))}
	_, _ = rand.Read(t.salt[:]) // never fails
	for _, c := range peers {
		for _, hash := range c.Tokens {
			key := t.key(hash)
			if other, ok := t.rows[key]; ok && other.peer.ID != c.Peer.ID {
				return nil, fmt.Errorf("ilphttp: peers %q and %q have the same token", other.peer.Name, c.Peer.Name)
			}
			t.rows[key] = row{hash, c.Peer}
		}
	}
	return t, nil
}

// PeerByToken returns the peer that has a token with this hash.
func (d *Directory) PeerByToken(hash TokenHash) (Peer, bool) {
	t := d.table.Load()
	if t == nil {
		return Peer{}, false
	}
	found, ok := t.rows[t.key(hash)]
	if !ok || subtle.ConstantTimeCompare(found.hash[:], hash[:]) != 1 {
		return Peer{}, false
	}
	return found.peer, true
}

func (t *table) key(hash TokenHash) [sha256.Size]byte {
	var b [len(t.salt) + len(hash)]byte
	copy(b[:], t.salt[:])
	copy(b[len(t.salt):], hash[:])
	return sha256.Sum256(b[:])
}
