package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"pochi/app/admin"
	"pochi/app/config"
	"pochi/app/peers"
	"pochi/app/problem"

	"github.com/google/uuid"
)

type peerCommands struct {
	Add    peerAdd    `cmd:"" help:"Add a peer. Tokens on a command line can be seen by others who use this machine: @FILE stands for what is in FILE, @/dev/stdin for what comes on stdin."`
	List   peerList   `cmd:"" help:"List the peers, with what they and this wallet owe each other, an object a line."`
	Update peerUpdate `cmd:"" help:"Change a peer: what isn't named stays. To change its token, add the new one, let the peer change over, then remove the old one. For tokens @FILE stands for what is in FILE, @/dev/stdin for what comes on stdin."`
	Remove peerRemove `cmd:"" help:"Remove a peer with which everything is settled."`
	Ping   peerPing   `cmd:"" help:"Send a peer packets without money; exit 1 when it doesn't answer, counts another asset than this wallet, or is another node than its address says."`
	Doubts peerDoubts `cmd:"" help:"List what a peer may claim, an object a line: packets to it whose answers were lost, so that their senders have the money back. Agree with the peer on what arrived, then dismiss or accept each. Until then they count as in flight to it."`
	Settle peerSettle `cmd:"" help:"Count what was paid outside of the Interledger: a peer at its credit limit can't send more before."`
}

type peerAdd struct {
	Name          string   `arg:"" help:"What to call it."`
	Address       string   `name:"ilp-address" required:"" placeholder:"ADDRESS" help:"Its ILP address."`
	Asset         string   `required:"" placeholder:"CODE/DECIMALS" help:"What amounts on the link count, such as USD/2."`
	IncomingToken []secret `required:"" sep:"none" placeholder:"TOKEN" help:"What it calls with; may be repeated. At least 16 random characters, in production 32."`
	peerTerms
}

type peerUpdate struct {
	Name                string   `arg:"" help:"The peer."`
	Address             *string  `name:"ilp-address" placeholder:"ADDRESS" help:"Its ILP address."`
	AddIncomingToken    []secret `sep:"none" placeholder:"TOKEN" help:"A further token that it may call with; may be repeated."`
	RemoveIncomingToken []secret `sep:"none" placeholder:"TOKEN" help:"A token that it may call with no more, or the 8 digits that list shows of it; may be repeated."`
	peerTerms
}

// peerTerms is what a peer may do, and where it is.
type peerTerms struct {
	OutgoingURL      *string `name:"outgoing-url" placeholder:"URL" help:"Where it takes packets: https, in dev also http on this machine. Without one it takes none."`
	OutgoingToken    *secret `placeholder:"TOKEN" help:"What it knows this wallet by."`
	Async            *bool   `negatable:"" help:"It answers packets in callbacks, to POCHI_ILP_PUBLIC_URL, as RFC 35 has it."`
	CallbackURL      *string `name:"callback-url" placeholder:"URL" help:"Where it may have the replies to its own packets sent; a URL as above. Without one they are in the response."`
	CreditLimit      *uint64 `placeholder:"N" help:"How much it may owe: 0, nothing, when it isn't said."`
	MaxPacket        *uint64 `placeholder:"N" help:"The largest packet from it; when it isn't said, or 0, what may be in flight."`
	MaxInFlightValue *uint64 `placeholder:"N" help:"How much may be in flight from it, and as much to it, of which half for the packets of any one other peer. In production it has to be said; elsewhere there is no limit without it, nor at 0."`
	MaxInFlightCount *uint64 `placeholder:"N" help:"How many packets may be in flight from it, and as many to it; 0 for 512."`
	RateLimit        *uint64 `placeholder:"N" help:"How many packets a second it may send; 0 for any number."`
	Throughput       *uint64 `placeholder:"N" help:"How much it may send a second; 0 for any amount."`
	Routes           *string `placeholder:"PREFIX,…" help:"Further addresses that it is the way to, with all below them; an empty text for none."`
	DefaultRoute     *bool   `negatable:"" help:"It is the way to everything that nobody else has a route to."`
}

func (t peerTerms) change() peers.Change {
	c := peers.Change{
		OutgoingURL: t.OutgoingURL, OutgoingToken: (*peers.Token)(t.OutgoingToken),
		Async: t.Async, CallbackURL: t.CallbackURL, CreditLimit: t.CreditLimit, MaxPacket: t.MaxPacket,
		MaxInFlightValue: t.MaxInFlightValue, MaxInFlightCount: t.MaxInFlightCount,
		RateLimit: t.RateLimit, Throughput: t.Throughput, Default: t.DefaultRoute,
	}
	if t.Routes != nil {
		c.SetRoutes = true
		for prefix := range strings.SplitSeq(*t.Routes, ",") {
			if prefix = strings.TrimSpace(prefix); prefix != "" {
				c.Routes = append(c.Routes, prefix)
			}
		}
	}
	return c
}

func tokens(secrets []secret) (out []peers.Token) {
	for _, s := range secrets {
		out = append(out, peers.Token(s))
	}
	return out
}

func (c peerAdd) Run(p *program) error {
	in := admin.NewPeer{Asset: c.Asset, Terms: c.change()}
	in.Terms.Address, in.Terms.AddTokens = &c.Address, tokens(c.IncomingToken)
	return changePeer(p, func(client admin.Client) (admin.Peer, error) { return client.AddPeer(p.ctx, c.Name, in) })
}

func (c peerUpdate) Run(p *program) error {
	terms := c.change()
	terms.Address, terms.AddTokens, terms.RemoveTokens = c.Address, tokens(c.AddIncomingToken), tokens(c.RemoveIncomingToken)
	if reflect.ValueOf(terms).IsZero() {
		return errors.New("there is nothing to change: say what, with flags; pochi help admin peer update lists them")
	}
	return changePeer(p, func(client admin.Client) (admin.Peer, error) { return client.UpdatePeer(p.ctx, c.Name, terms) })
}

// changePeer is changeOne, with a warning about what may have been forgotten.
func changePeer(p *program, do func(admin.Client) (admin.Peer, error)) error {
	var now admin.Peer
	err := changeOne(p, func(client admin.Client) (_ admin.Peer, err error) {
		now, err = do(client)
		return now, err
	})
	if text := unbounded(now); err == nil && text != "" {
		fmt.Fprintln(os.Stderr, "pochi:", text)
	}
	return err
}

// unbounded says that a peer has credit, or takes packets, without a limit of what
// is in flight; "" when it isn't so.
func unbounded(now admin.Peer) string {
	if now.CreditLimit == 0 && now.OutgoingURL == "" || now.MaxInFlightValue != 0 {
		return ""
	}
	return fmt.Sprintf("%s has no --max-in-flight-value: nothing bounds what is in flight to it, and what it may claim after a fault.", now.Name)
}

type peerList struct{}

func (peerList) Run(p *program) error {
	return withFiles(func(cfg config.Config) error { return newLists(cfg, p).Peers(p.ctx) })
}

type peerRemove struct {
	Name string `arg:"" help:"The peer."`
}

func (c peerRemove) Run(p *program) error {
	return changeOne(p, func(client admin.Client) (admin.Peer, error) { return client.RemovePeer(p.ctx, c.Name) })
}

type peerPing struct {
	Name string `arg:"" help:"The peer."`
}

func (c peerPing) Run(p *program) error {
	var pong admin.Pong
	err := changeOne(p, func(client admin.Client) (_ admin.Pong, err error) {
		pong, err = client.PingPeer(p.ctx, c.Name)
		return pong, err
	})
	if err == nil && !pong.OK {
		return errors.New(strings.TrimSpace(pong.AssetMismatch + " " + pong.AddressMismatch))
	}
	return err
}

type peerDoubts struct {
	Name    string     `arg:"" help:"The peer."`
	All     bool       `xor:"what" help:"Those too that were dismissed or accepted."`
	Dismiss *uuid.UUID `xor:"what" placeholder:"REFERENCE" help:"The peer agrees that nothing arrived of the packets with this reference."`
	Accept  *uuid.UUID `xor:"what" placeholder:"REFERENCE" help:"The peer fulfilled the packets with this reference: this wallet owes it what they carried, at its own expense."`
	Amount  *uint64    `placeholder:"N" help:"Only if this is the amount that is dismissed or accepted: with it the command can be repeated without a thought."`
}

func (c peerDoubts) Run(p *program) error {
	r := peers.Resolution{Accept: c.Accept != nil, Amount: c.Amount}
	switch {
	case c.Accept != nil:
		r.Reference = *c.Accept
	case c.Dismiss != nil:
		r.Reference = *c.Dismiss
	case c.Amount != nil:
		return errors.New("--amount goes with --dismiss or --accept")
	default:
		return withFiles(func(cfg config.Config) error { return newLists(cfg, p).Doubts(p.ctx, c.Name, c.All) })
	}
	return changeOne(p, func(client admin.Client) (admin.PeerDoubt, error) { return client.ResolveDoubt(p.ctx, c.Name, r) })
}

type peerSettle struct {
	Name     string     `arg:"" help:"The peer."`
	Paid     uint64     `xor:"amount" required:"" placeholder:"N" help:"How much this wallet paid it."`
	Received uint64     `xor:"amount" required:"" placeholder:"N" help:"How much it paid this wallet."`
	ID       *uuid.UUID `name:"id" placeholder:"UUID" help:"The settlement's id, a UUIDv7: the same again isn't counted twice. A new one when it isn't said."`
}

func (c peerSettle) Run(p *program) error {
	in := peers.Settlement{Paid: c.Paid, Received: c.Received}
	if c.ID != nil {
		in.ID = *c.ID
	} else if id, err := uuid.NewV7(); err != nil {
		return err
	} else {
		in.ID = id
	}
	return changeOne(p, func(client admin.Client) (admin.Peer, error) {
		settled, err := client.SettlePeer(p.ctx, c.Name, in)
		return settled, repeatable(err, in.ID)
	})
}

// repeatable adds to an error that leaves open whether a settlement was counted
// how to ask again.
func repeatable(err error, id uuid.UUID) error {
	var told *problem.Error
	switch {
	case errors.Is(err, admin.ErrLost):
		return fmt.Errorf("%w; to count it once only, add --id %s", err, id)
	case errors.As(err, &told) && (told.Code == problem.Internal || told.Code == problem.Unavailable):
		return problem.New(problem.Unavailable, "%s To count it once only, repeat it with --id %s.", told.Message, id).Because(err)
	}
	return err
}
