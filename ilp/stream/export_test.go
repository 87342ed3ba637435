package stream

// Derive is derive, for vectors of single keys.
var Derive = derive

// OpenWith decrypts under an encryption key itself.
func OpenWith(key [32]byte, data []byte) ([]byte, error) { return newSealer(key).open(nil, data) }

// SetSequence makes a Sender believe that it has sent n packets.
func (s *Sender) SetSequence(n uint64) { s.sequence = n }

// MaxPackets is after how many packets a connection ends.
const MaxPackets = maxPackets

// SetLink changes the link of a Sender.
func (s *Sender) SetLink(l Link) { s.cfg.Link = l }

// MaxConnections is how many connections a Receiver keeps.
const MaxConnections = maxConnections

// Kept returns how many connections a Receiver keeps now.
func (r *Receiver) Kept() int { return len(r.known.younger) + len(r.known.older) }
