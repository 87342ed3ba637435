package payments

import (
	"container/list"
	"context"
	"sync"

	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/spsp"
	"pochi/ilp/stream"

	"github.com/google/uuid"
)

// connection is a STREAM connection to a receiver, of which the quote's probes are
// the beginning and the payment's packets the rest.
type connection struct {
	*stream.Sender
	link    *turn
	paid    payee        // within this wallet
	invoice spsp.Invoice // what the receiver asks for
}

// turn is a link that asks and pays. Questions have no reference, a payment's as
// little as a quote's: nothing is set aside for what nobody can fulfill, and nothing is
// in doubt when its answer is lost.
type turn struct {
	asks stream.Link
	pays stream.Link // nil while there is only a quote
}

// SendPacket implements stream.Link.
func (t *turn) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	return t.asks.SendPacket(ctx, p)
}

// SendMoney implements stream.MinimumLink.
func (t *turn) SendMoney(ctx context.Context, p packet.Prepare, least uint64) (packet.Reply, error) {
	if link, ok := t.pays.(stream.MinimumLink); ok {
		return link.SendMoney(ctx, p, least)
	}
	return t.pays.SendPacket(ctx, p)
}

// connect begins a connection for questions about packets from an account. Errors are
// problems with the field "to".
func (s *Service) connect(ctx context.Context, to Receiver, account uuid.UUID, asset ilp.Asset) (connection, error) {
	details, err := s.details(ctx, to)
	if err != nil {
		return connection{}, err
	}
	link := &turn{asks: s.Links.Link(connector.FromWallet(account, asset, uuid.Nil))}
	return connection{stream.NewSender(stream.SenderConfig{
		Link: link, Destination: details.DestinationAccount, Secret: details.SharedSecret, Clock: s.Clock, Random: s.Random,
	}), link, to.payee(), details.Invoice}, nil
}

// pay returns the connection over which a payment is sent: its quote's if it is
// still there, so that the receiver isn't asked twice. Within this wallet the pointer
// may have come to pay another account.
func (s *Service) pay(ctx context.Context, to Receiver, p Outgoing) (connection, error) {
	asset := ilp.Asset(p.DebitAmount.Asset)
	c, here := s.quoted.take(p.ID)
	if !here || c.paid != to.payee() {
		var err error
		if c, err = s.connect(ctx, to, p.AccountID, asset); err != nil {
			return connection{}, err
		}
	}
	c.link.pays = s.Links.Link(connector.FromWallet(p.AccountID, asset, p.ID))
	return c, nil
}

// quotedMax bounds the fresh quotes that are kept in memory.
const quotedMax = 4096

// quoted keeps fresh quotes until they are confirmed or expire, and the connections
// on which they were found, until the payment takes them. Forgetting one costs a look
// into the database, and a question to the receiver.
type quoted struct {
	mu    sync.Mutex
	byID  map[uuid.UUID]*list.Element // of queue
	queue *list.List                  // of *kept, as they expire
}

type kept struct {
	Quote
	connection
}

func newQuoted() *quoted { return &quoted{byID: map[uuid.UUID]*list.Element{}, queue: list.New()} }

// keep keeps a quote. Quotes expire in the order in which they come.
func (k *quoted) keep(q Quote, c connection) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for first := k.queue.Front(); first != nil; first = k.queue.Front() {
		oldest := first.Value.(*kept)
		if k.queue.Len() < quotedMax && q.CreatedAt.Before(oldest.ExpiresAt) {
			break
		}
		k.drop(oldest.ID)
	}
	k.byID[q.ID] = k.queue.PushBack(&kept{Quote: q, connection: c})
}

// get returns what is kept of a quote, nil for nothing.
func (k *quoted) get(quote uuid.UUID) *kept {
	if e := k.byID[quote]; e != nil {
		return e.Value.(*kept)
	}
	return nil
}

func (k *quoted) drop(quote uuid.UUID) {
	if e := k.byID[quote]; e != nil {
		k.queue.Remove(e)
		delete(k.byID, quote)
	}
}

// find returns a quote if it is kept. It is Confirmed as soon as somebody has begun
// to confirm it.
func (k *quoted) find(quote uuid.UUID) (q Quote, here bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	one := k.get(quote)
	if one == nil {
		return Quote{}, false
	}
	return one.Quote, true
}

// confirm says that the quote is being confirmed: whether it has been is for the
// database to say.
func (k *quoted) confirm(quote uuid.UUID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if one := k.get(quote); one != nil {
		one.Confirmed = true
	}
}

// take returns a quote's connection, once.
func (k *quoted) take(quote uuid.UUID) (c connection, here bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if one := k.get(quote); one != nil {
		c, one.connection = one.connection, connection{}
	}
	return c, c.Sender != nil
}

// forget forgets a quote that has become a payment, or never will: it makes room for
// others.
func (k *quoted) forget(quote uuid.UUID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(quote)
}
