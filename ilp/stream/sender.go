package stream

import (
	"context"
	"io"
	"time"

	"pochi/ilp"
	"pochi/ilp/address"
)

// SenderConfig says whom a Sender pays, and over what.
type SenderConfig struct {
	Link        Link
	Destination address.Address
	Secret      [32]byte
	Clock       Clock
	// Random is a cryptographic source: each packet takes an initialization vector from it, probes their condition too.
	Random io.Reader
}

// Sender is the paying end of one connection. It has one packet in flight at a time, and is not safe for concurrent use.
type Sender struct {
	cfg      SenderConfig
	keys     *Keys
	sequence uint64    // of the last packet; they count from 1
	asset    ilp.Asset // the receiver's, once it said it
	asked    int       // how often we asked for it
}

// NewSender returns a Sender at the start of a connection. Nothing is sent yet.
func NewSender(cfg SenderConfig) *Sender {
	return &Sender{cfg: cfg, keys: NewKeys(cfg.Secret)}
}

// closeTime is how long a goodbye may take.
const closeTime = 2 * time.Second

// Close tells the receiver that nothing more comes, with a packet that carries no money. A receiver that doesn't hear it
// loses nothing, so there is no error. Send has done it when it returns.
func (s *Sender) Close(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	_, _ = s.exchange(ctx, request{
		deadline: s.cfg.Clock.Now().Add(closeTime),
		frames:   []Frame{ConnectionClose{CodeNoError, ""}},
	})
}

// learnAsset takes the receiver's asset from the frames of an authentic reply. It never changes (RFC 29, section 5.3.7).
func (s *Sender) learnAsset(frames []Frame) error {
	for _, f := range frames {
		details, ok := f.(ConnectionAssetDetails)
		if !ok || !validCode(details.Code) {
			continue
		}
		asset := ilp.Asset(details)
		if s.asset != (ilp.Asset{}) && s.asset != asset {
			return &Failure{Reason: AssetChanged}
		}
		s.asset = asset
	}
	return nil
}

// validCode reports whether an asset's code, which a stranger chose, is fit to be shown.
func validCode(code string) bool {
	if code == "" || len(code) > 32 {
		return false
	}
	for i := range len(code) {
		if code[i] <= ' ' || code[i] >= 0x7f {
			return false
		}
	}
	return true
}

// hello returns the frame that makes the receiver name its asset, or none if it has done so. An empty address asks without
// offering a way back; receivers that can't read that get one which leads nowhere.
func (s *Sender) hello() []Frame {
	if s.asset != (ilp.Asset{}) {
		return nil
	}
	s.asked++
	if s.asked%2 == 1 {
		return []Frame{ConnectionNewAddress{""}}
	}
	return []Frame{ConnectionNewAddress{"private.SEND_ONLY_CLIENT"}}
}
