package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/ildcp"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
	"pochi/ilp/pointer"
	"pochi/ilp/spsp"
	"pochi/ilp/stream"
)

// How the music is tipped: a drop every beat, for a song, and a drop that doesn't arrive soon ends it.
const (
	beat    = 100 * time.Millisecond
	song    = 5 * time.Minute
	dropMax = 2 * time.Second

	largestDrop = 1000 // times the usual one
)

// band plays music to customers, and streams their tips meanwhile, each customer's in a connection of its own.
type band struct {
	ctx     context.Context // of the program
	wallet  *wallet
	deals   *deals
	client  *ilphttp.Client
	pointer pointer.Pointer
	asset   ilp.Asset
	dev     bool // the wallet is on this machine, without TLS

	mu      sync.Mutex
	playing map[string]*performance
	ended   map[string]string // why the last of a deal stopped, if not by itself
	all     sync.WaitGroup
}

// performance is music that plays for somebody.
type performance struct {
	cancel context.CancelFunc
	ended  chan struct{}
	tipped uint64 // what has arrived; guarded by the band
}

func newBand(ctx context.Context, cfg config, w *wallet, d *deals) (*band, error) {
	dev := strings.HasPrefix(cfg.Wallet, "http://")
	at, err := pointer.Parser{AllowLoopback: dev}.Parse(cfg.Pointer)
	if err != nil {
		return nil, fmt.Errorf("SHOP_POINTER is %q: %w", cfg.Pointer, err)
	}
	client, err := ilphttp.NewClient(ilphttp.ClientConfig{
		Address: address.Address("private.shop"), DialContext: (&net.Dialer{Timeout: dropMax}).DialContext,
		Log: slog.Default(), AllowLoopback: dev,
	})
	if err != nil {
		return nil, err
	}
	return &band{
		ctx: ctx, wallet: w, deals: d, client: client, pointer: at, asset: cfg.Asset, dev: dev,
		playing: map[string]*performance{}, ended: map[string]string{},
	}, nil
}

// wait waits for the last tips on their way.
func (b *band) wait() { b.all.Wait() }

// play begins to play for a deal, unless it plays already. The token is good for the agreement's link.
func (b *band) play(d deal, token, link string, drop uint64) error {
	endpoint, err := b.client.Endpoint(ilphttp.EndpointConfig{Name: "agreement", URL: link, Token: token})
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.playing[d.ID] != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(b.ctx, song)
	p := &performance{cancel: cancel, ended: make(chan struct{})}
	b.playing[d.ID] = p
	delete(b.ended, d.ID)
	b.all.Go(func() {
		defer close(p.ended)
		defer cancel()
		err := b.tip(ctx, wire{endpoint}, drop, func(arrived uint64) { b.count(p, arrived) })
		b.finish(d.ID, p, b.reason(token, drop, err))
	})
	return nil
}

// reason says for people why tips stopped.
func (b *band) reason(token string, drop uint64, err error) string {
	if err == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), dropMax)
	defer cancel()
	now, asking := b.wallet.granted(ctx, token)
	switch {
	case asking == nil && now.State != "active":
		return "It stopped: in your wallet this agreement is " + now.State + "."
	case asking == nil && now.leaves() < drop:
		return "It stopped: you have given as much as you allowed."
	}
	log.Print("shop: tips: ", err)
	return "It stopped: " + err.Error()
}

// tip sends a drop every beat until ctx ends. All of them are one payment, over one connection.
func (b *band) tip(ctx context.Context, link wire, drop uint64, arrived func(uint64)) error {
	about, err := link.configuration(ctx)
	if err != nil {
		return err
	}
	if about.Asset != b.asset {
		return fmt.Errorf("the link counts %s, not %s", about.Asset, b.asset)
	}
	to, err := spsp.Client{HTTP: b.wallet.http}.Query(ctx, b.pointer.URL())
	if err != nil {
		return err
	}
	sender := stream.NewSender(stream.SenderConfig{
		Link: link, Destination: to.DestinationAccount, Secret: to.SharedSecret, Clock: stream.SystemClock{}, Random: rand.Reader,
	})
	defer sender.Close(context.WithoutCancel(ctx))
	if drop, err = audible(ctx, sender, drop); err != nil {
		return err
	}
	next := time.NewTicker(beat)
	defer next.Stop()
	for sent := (stream.Result{}); ; {
		all := sent.Sent + drop
		sent, err = sender.Send(ctx, stream.SendParams{
			Amount: all, MinDelivered: atLeast(all), MaxRounding: all, Asset: b.asset, Deadline: time.Now().Add(dropMax), Done: sent,
		})
		arrived(sent.Delivered)
		if err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-next.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// audible returns a drop of which most arrives. Where the customer's account is in another currency each packet is rounded down, a
// small one to nothing: then the drop is larger.
func audible(ctx context.Context, sender *stream.Sender, drop uint64) (uint64, error) {
	for larger := drop; larger <= drop*largestDrop; larger *= 10 {
		probe, err := sender.Probe(ctx, larger)
		if err == nil && probe.Received >= atLeast(larger) {
			return larger, nil
		}
		var why *stream.Failure
		if errors.As(err, &why) && why.Reason != stream.TooSmall {
			return 0, err
		}
	}
	return 0, errors.New("too little of it arrives")
}

// atLeast is how much of an amount must arrive.
func atLeast(amount uint64) uint64 { return max(1, amount*9/10) }

func (b *band) count(p *performance, arrived uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p.tipped = arrived
}

// finish writes down what was tipped.
func (b *band) finish(id string, p *performance, why string) {
	defer b.deals.lock(id)()
	if err := b.deals.addTips(id, p.tipped); err != nil {
		log.Print("shop: ", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.playing, id)
	b.ended[id] = why
}

// stop ends the music for a deal, and waits for what is on its way.
func (b *band) stop(id string) {
	b.mu.Lock()
	p := b.playing[id]
	b.mu.Unlock()
	if p != nil {
		p.cancel()
		<-p.ended
	}
}

// standing tells whether music plays for a deal, why the last time ended early, and what has arrived of what plays.
func (b *band) standing(id string) (playing bool, why string, tipped uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.playing[id]; p != nil {
		return true, "", p.tipped
	}
	return false, b.ended[id], 0
}

// wire is an agreement's link, as package stream uses links.
type wire struct{ *ilphttp.Endpoint }

// SendPacket implements stream.Link.
func (w wire) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	bytes, err := p.Append(nil)
	if err != nil {
		return nil, err
	}
	view, err := packet.ViewPrepare(bytes)
	if err != nil {
		return nil, err
	}
	answer, err := w.Endpoint.SendPacket(ctx, &view)
	if view, ok := answer.(*packet.ReplyView); ok {
		return view.Reply(), err
	}
	return answer, err
}

// configuration asks the wallet what the link counts (RFC 31).
func (w wire) configuration(ctx context.Context) (ildcp.Config, error) {
	var proof packet.Fulfill
	answer, err := w.SendPacket(ctx, packet.Prepare{
		Destination: ildcp.Destination, Condition: stream.Condition(proof.Fulfillment), ExpiresAt: time.Now().Add(dropMax),
	})
	if err != nil {
		return ildcp.Config{}, err
	}
	told, ok := answer.(*packet.Fulfill)
	if !ok {
		return ildcp.Config{}, errors.New("the wallet takes no packets for this agreement")
	}
	return ildcp.Decode(told.Data)
}

// tellTips says how much is tipped, for the page's script.
func (s *shop) tellTips(w http.ResponseWriter, r *http.Request) {
	d, ok := s.mine(w, r)
	if !ok {
		return
	}
	playing, why, tipped := s.band.standing(d.ID)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"playing": playing, "stopped": why, "tipped": s.price(d.Tipped + tipped)})
}

// play begins the music.
func (s *shop) play(w http.ResponseWriter, r *http.Request) {
	if err := s.begin(w, r); err != nil {
		s.fail(w, err)
	}
}

func (s *shop) begin(w http.ResponseWriter, r *http.Request) error {
	defer s.deals.lock(r.PathValue("id"))()
	d, ok := s.mine(w, r)
	if !ok {
		return nil
	}
	if d.Kind != tips || d.Stage != agreed {
		http.NotFound(w, r)
		return nil
	}
	token, err := s.access(r.Context(), &d)
	if err == nil {
		var now agreement
		if now, err = s.wallet.granted(r.Context(), token); err == nil {
			err = s.band.play(d, token, now.ILP.URL, s.drop())
		}
	}
	if err != nil && !noMore(err) {
		return err
	}
	http.Redirect(w, r, "/deals/"+d.ID, http.StatusSeeOther)
	return nil
}

// stop ends the music.
func (s *shop) stop(w http.ResponseWriter, r *http.Request) {
	d, ok := s.mine(w, r)
	if !ok {
		return
	}
	s.band.stop(d.ID)
	http.Redirect(w, r, "/deals/"+d.ID, http.StatusSeeOther)
}
