package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"pochi/app/config"
	"pochi/app/peers"
	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/connector"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// node is the wallet's place on the Interledger: peers' packets come in at the
// server and go out through the client, by way of the connector.
type node struct {
	receiver  *stream.Receiver
	connector *connector.Connector
	tokens    *ilphttp.Directory
	server    *ilphttp.Server
	client    *ilphttp.Client
	db        *db.DB
	log       *slog.Logger

	doubts sync.Mutex // what is in doubt is read and set by one at a time
	ended  chan error // what became of listening
}

// money is what a node moves money with, and knows receivers by.
type money interface {
	connector.Books
	connector.Payees
}

// nodeParts is what a node works with.
type nodeParts struct {
	books      money
	rates      connector.Rates
	agreements nodeAgreements
	tokens     tokens // of apps
	client     *ilphttp.Client
	pending    *ilphttp.Pending
}

// nodeAgreements is what a node needs of people's agreements with apps.
type nodeAgreements interface {
	connector.Agreements
	clientAgreements
}

// buildNode makes a node that knows no peer yet.
func buildNode(cfg config.Config, d *db.DB, secrets config.Secrets, p nodeParts, log *slog.Logger) (*node, error) {
	own, err := ownAddress(cfg)
	if err != nil {
		return nil, err
	}
	key, err := secrets.Key("stream")
	if err != nil {
		return nil, err
	}
	n := &node{tokens: new(ilphttp.Directory), client: p.client, db: d, log: log, ended: make(chan error, 1)}
	if n.receiver, err = stream.NewReceiver(own, key, rand.Reader); err != nil {
		return nil, err
	}
	n.connector, err = connector.New(connector.Config{
		Address: own, Receiver: n.receiver, Payees: p.books, Books: doubting{p.books, n}, Rates: p.rates, Agreements: p.agreements,
		Now: time.Now, Log: log,
	})
	if err != nil {
		return nil, err
	}
	_, most := shares(openFiles())
	n.server, err = ilphttp.NewServer(ilphttp.ServerConfig{
		Address: own, Peers: n.tokens, Handler: n, Pending: p.pending, Log: log,
		Agreements:     newAppLink(p.tokens, p.agreements, n.connector, cfg.PublicURL, time.Now),
		MaxConnections: most, Proxies: ranges(cfg.TrustedProxies),
	})
	return n, err
}

// HandlePacket implements ilphttp.Handler.
func (n *node) HandlePacket(ctx context.Context, from ilphttp.Peer, p *packet.PrepareView) (packet.Reply, error) {
	return n.connector.Handle(ctx, connector.FromPeer(from.ID), p)
}

// preparePeers finds out whether packets can flow as the peers are to be, and
// returns what makes them.
func (n *node) preparePeers(all []peers.Peer) (use func(), err error) {
	routes := make([]connector.Peer, len(all))
	tokens := make([]ilphttp.Credentials, len(all))
	for i, p := range all {
		routes[i], tokens[i] = n.routeOf(p), n.credentialsOf(p)
	}
	if err := errors.Join(connector.CheckPeers(routes), ilphttp.CheckCredentials(tokens)); err != nil {
		return nil, err
	}
	return func() { n.usePeers(routes, tokens) }, nil
}

// usePeers makes packets flow as peers are that were checked. What is in doubt
// with them is read now, and not earlier.
func (n *node) usePeers(routes []connector.Peer, tokens []ilphttp.Credentials) {
	n.doubts.Lock()
	defer n.doubts.Unlock()
	for i := range routes {
		routes[i].InDoubt = n.inDoubt(routes[i].ID)
	}
	if err := errors.Join(n.connector.SetPeers(routes), n.tokens.Set(tokens)); err != nil {
		panic(err) // a bug: they were checked
	}
}

func (n *node) routeOf(p peers.Peer) connector.Peer {
	return connector.Peer{
		ID: p.ID, Name: p.Name, Address: p.Address, Account: p.ID, Asset: ilp.Asset(p.Asset), Routes: p.Routes, Default: p.Default,
		MaxPacket: p.MaxPacket, RateLimit: p.RateLimit, Throughput: p.Throughput,
		MaxInFlightValue: p.MaxInFlightValue, MaxInFlightCount: p.MaxInFlightCount,
		Link: n.linkOf(p),
	}
}

// linkOf returns where a peer takes packets, nil if it takes none. The peer may
// have been added when other addresses were allowed.
func (n *node) linkOf(p peers.Peer) connector.Link {
	if p.OutgoingURL == "" {
		return nil
	}
	endpoint, err := n.client.Endpoint(ilphttp.EndpointConfig{
		Name: p.Name, URL: p.OutgoingURL, Token: string(p.OutgoingToken), MaxInFlight: int(p.MaxInFlightCount),
		Async: p.Async, Peer: p.ID,
	})
	if err != nil {
		n.log.Error("no packets go to a peer", "peer", p.Name, "error", err)
		return nil
	}
	return endpoint
}

func (n *node) credentialsOf(p peers.Peer) ilphttp.Credentials {
	from := ilphttp.Peer{ID: p.ID, Name: p.Name, MaxInFlight: int(p.MaxInFlightCount), Callback: n.callbackOf(p)}
	return ilphttp.Credentials{Peer: from, Tokens: p.Tokens}
}

// callbackOf returns where a peer takes the replies to its packets, nil if that
// is in the response, or has to be, as linkOf says.
func (n *node) callbackOf(p peers.Peer) *ilphttp.Callback {
	if p.CallbackURL == "" {
		return nil
	}
	callback, err := n.client.Callback(ilphttp.CallbackConfig{Name: p.Name, URL: p.CallbackURL, Token: string(p.OutgoingToken)})
	if err != nil {
		n.log.Error("a peer is answered in responses, not in callbacks", "peer", p.Name, "error", err)
		return nil
	}
	return callback
}

func ownAddress(cfg config.Config) (address.Address, error) {
	own, err := address.Parse(cfg.ILPAddress)
	if err != nil {
		return "", fmt.Errorf("POCHI_ILP_ADDRESS: %w", err)
	}
	return own, nil
}
