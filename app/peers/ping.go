package peers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"pochi/app/problem"
	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/ildcp"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// pingMax is how long each of a ping's packets may take.
const pingMax = 8 * time.Second

// Pong is a peer's answer to a ping.
type Pong struct {
	RoundTrip   time.Duration // of a packet to the peer's own address
	Code        packet.Code   // how the peer rejects it, as it should
	TriggeredBy address.Address
	Message     string
	Config      *ildcp.Config   // what the peer says about the link, if it does
	Own         address.Address // this node's
}

// AssetMismatch says that the peer counts another asset on the link than we do;
// "" when it doesn't.
func (p Pong) AssetMismatch(peer Peer) string {
	if p.Config == nil || p.Config.Asset == ilp.Asset(peer.Asset) {
		return ""
	}
	return fmt.Sprintf("%s counts %s on this link, and this wallet %s: each would misread the other's amounts. Agree on one; to change ours, remove the peer and add it again.",
		peer.Name, p.Config.Asset, peer.Asset)
}

// AddressMismatch says that another node than the peer answered to the peer's
// own address; "" when none did, or none says who it is.
func (p Pong) AddressMismatch(peer Peer) string {
	if p.TriggeredBy == "" || p.TriggeredBy == p.Own || p.TriggeredBy.HasPrefix(peer.Address) {
		return ""
	}
	return fmt.Sprintf("%s answered to a packet for %s, which is to be %s's address: what is sent there would get lost. Ask for the right one: pochi admin peer update %s --ilp-address A changes it.",
		p.TriggeredBy, peer.Address, peer.Name, peer.Name)
}

// Warning says that the peer calls this node otherwise than it is called here;
// "" when it doesn't. That is in order with a peer which has another way to us.
func (p Pong) Warning(peer Peer) string {
	if p.Config == nil || p.Config.Address == p.Own {
		return ""
	}
	return fmt.Sprintf("%s calls this wallet %s, and not %s: unless it has another way here, no money comes from it. Ask whoever runs it to change that, or set POCHI_ILP_ADDRESS.",
		peer.Name, p.Config.Address, p.Own)
}

// Ping sends a peer two packets without money: it asks for the link's
// configuration (ILDCP), which the peer need not answer, and then for something
// that its own address can't fulfill. Any ILP answer shows that it can be
// reached. Errors: problem.NotFound; problem.Conflict when the peer takes no
// packets; problem.Unavailable, which says what to look at.
func (s *Service) Ping(ctx context.Context, name string) (Peer, Pong, error) {
	_, p, err := s.named(ctx, name)
	if err != nil {
		return Peer{}, Pong{}, err
	}
	if p.OutgoingURL == "" {
		return p, Pong{}, problem.New(problem.Conflict,
			"%s takes no packets: say where and with which token, with pochi admin peer update %s --outgoing-url U --outgoing-token T.", name, name)
	}
	endpoint, err := s.HTTP.Endpoint(ilphttp.EndpointConfig{
		Name: name, URL: p.OutgoingURL, Token: string(p.OutgoingToken), Async: p.Async, Peer: p.ID,
	})
	switch {
	case errors.Is(err, ilphttp.ErrNoCallbacks):
		return p, Pong{}, problem.New(problem.Conflict,
			"%s answers in callbacks, which only a running wallet takes, at POCHI_ILP_PUBLIC_URL: start it first.", name).Because(err)
	case err != nil:
		return p, Pong{}, problem.New(problem.Conflict, "%s's outgoing URL or token can't be used: give others.", name).Because(err)
	}
	pong := Pong{Own: s.Own}
	if pong.Config, err = s.askConfig(ctx, endpoint, name); err != nil {
		return p, Pong{}, err
	}
	err = s.probe(ctx, endpoint, p, &pong)
	return p, pong, err
}

// askConfig returns nil when the peer answers otherwise than with a
// configuration.
func (s *Service) askConfig(ctx context.Context, to *ilphttp.Endpoint, name string) (*ildcp.Config, error) {
	proof := packet.Fulfill{} // 32 zero bytes, in all peer protocols
	reply, err := s.ask(ctx, to, name, packet.Prepare{Destination: ildcp.Destination, Condition: sha256.Sum256(proof.Fulfillment[:])})
	if err != nil {
		return nil, err
	}
	fulfill, ok := reply.(*packet.Fulfill)
	if !ok {
		return nil, nil
	}
	config, err := ildcp.Decode(fulfill.Data)
	if err != nil {
		return nil, nil
	}
	return &config, nil
}

func (s *Service) probe(ctx context.Context, to *ilphttp.Endpoint, p Peer, pong *Pong) error {
	prepare := packet.Prepare{Destination: p.Address}
	_, _ = rand.Read(prepare.Condition[:]) // never fails
	start := time.Now()
	reply, err := s.ask(ctx, to, p.Name, prepare)
	if err != nil {
		return err
	}
	pong.RoundTrip = time.Since(start)
	if reject, ok := reply.(*packet.Reject); ok {
		pong.Code, pong.TriggeredBy, pong.Message = reject.Code, reject.TriggeredBy, reject.Message
	}
	return nil
}

// ask sends a packet and returns the peer's answer; that there is none is a
// problem.
func (s *Service) ask(ctx context.Context, to *ilphttp.Endpoint, name string, p packet.Prepare) (packet.Reply, error) {
	p.ExpiresAt = s.Now().Add(pingMax)
	reply, err := sendPacket(ctx, to, p)
	var unknown *ilphttp.UnknownError
	switch {
	case errors.As(err, &unknown):
		return nil, s.noAnswer(name, unknown.Reject, err)
	case err != nil:
		return nil, fmt.Errorf("ping %s: %w", name, err)
	}
	reject, ok := reply.(*packet.Reject)
	if ok && reject.TriggeredBy == s.Own && reject.Code != packet.WrongCondition {
		return nil, s.noAnswer(name, reject, nil)
	}
	return reply, nil
}

// sendPacket sends a packet of this node's own. The answer is a *packet.Fulfill
// or a *packet.Reject.
func sendPacket(ctx context.Context, to *ilphttp.Endpoint, p packet.Prepare) (packet.Reply, error) {
	wire, err := p.Append(nil)
	if err != nil {
		return nil, err
	}
	view, err := packet.ViewPrepare(wire)
	if err != nil {
		return nil, err
	}
	reply, err := to.SendPacket(ctx, &view)
	if answer, ok := reply.(*packet.ReplyView); ok && err == nil {
		return answer.Reply(), nil
	}
	return reply, err
}

// noAnswer says in a sentence why the peer's answer is missing, and what to look at.
func (s *Service) noAnswer(name string, reject *packet.Reject, cause error) error {
	advice := "Try again later, and ask whoever runs it."
	switch reject.Code {
	case packet.Unreachable:
		advice = fmt.Sprintf("Compare URL and token with whoever runs it: pochi admin peer update %s --outgoing-url U --outgoing-token T.", name)
	case packet.PeerUnreachable:
		advice = fmt.Sprintf("Is it running, and is its URL right? pochi admin peer update %s --outgoing-url U changes it.", name)
		if s.Production {
			advice += " Only port 443 of public addresses is called."
		}
	}
	return problem.New(problem.Unavailable, "%s: %s %s", name, reject.Message, advice).Because(cause)
}
