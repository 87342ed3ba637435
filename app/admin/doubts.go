package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"pochi/app/payments"
	"pochi/app/peers"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// PeerDoubt is what a peer may claim, since answers to packets were lost. The
// amount is in the smallest unit of the peer's asset, as a text.
type PeerDoubt struct {
	Peer       string     `json:"peer"`
	Reference  uuid.UUID  `json:"reference"` // what the packets moved for
	State      string     `json:"state"`     // open, dismissed or accepted
	Packets    int        `json:"packets"`
	Amount     uint64     `json:"amount,string"`
	Asset      string     `json:"asset"` // USD/2
	FirstAt    time.Time  `json:"firstAt"`
	LastAt     time.Time  `json:"lastAt"`
	Cause      string     `json:"cause"` // of the last
	Payment    *uuid.UUID `json:"payment,omitempty"`
	Payer      string     `json:"payer,omitempty"`    // e-mail
	Receiver   string     `json:"receiver,omitempty"` // payment pointer
	ResolvedAt *time.Time `json:"resolvedAt,omitempty"`
	Repeated   bool       `json:"repeated,omitempty"` // the command was done before; nothing was done now
}

type findPayer func(ctx context.Context, id uuid.UUID) (p payments.Payer, found bool, err error)

// newPeerDoubt describes a claim, with the payment that it is about, if it is
// about one of ours.
func newPeerDoubt(ctx context.Context, p peers.Peer, c peers.Claim, payerOf findPayer) (PeerDoubt, error) {
	out := PeerDoubt{
		Peer: p.Name, Reference: c.Reference, State: c.State, Packets: c.Packets, Amount: c.Amount, Asset: p.Asset.String(),
		FirstAt: c.FirstAt, LastAt: c.LastAt, Cause: c.Cause,
	}
	if !c.ResolvedAt.IsZero() {
		out.ResolvedAt = &c.ResolvedAt
	}
	payer, found, err := payerOf(ctx, c.Reference)
	if found {
		out.Payment, out.Payer, out.Receiver = &payer.ID, payer.Email, payer.Receiver
	}
	return out, err
}

// Doubts prints what a peer may claim: what is open, or all there was.
func (l Lists) Doubts(ctx context.Context, name string, all bool) error {
	return l.reading(ctx, func(tx db.Tx, encoder *json.Encoder) error {
		p, claims, err := peers.Claims(ctx, tx, name, !all)
		if err != nil {
			return err
		}
		for _, c := range claims {
			doubt, err := newPeerDoubt(ctx, p, c, func(ctx context.Context, id uuid.UUID) (payments.Payer, bool, error) {
				return payments.PayerOf(ctx, tx, id)
			})
			if err != nil {
				return err
			}
			if err := encoder.Encode(doubt); err != nil {
				return err
			}
		}
		return nil
	})
}

// claimed is what a claim must be to be resolved.
type claimed struct {
	Amount *uint64 `json:"amount,omitempty"`
}

// ResolveDoubt ends what a peer may claim.
func (c Client) ResolveDoubt(ctx context.Context, name string, r peers.Resolution) (PeerDoubt, error) {
	verb := "dismiss"
	if r.Accept {
		verb = "accept"
	}
	return doPeer[PeerDoubt](ctx, c, name, "doubts/"+r.Reference.String()+"/"+verb, claimed{r.Amount})
}

func (s Services) resolveDoubt(r *http.Request, accept bool) (answer, error) {
	in, err := read[claimed](r)
	if err != nil {
		return answer{}, err
	}
	reference, err := uuid.Parse(r.PathValue("reference"))
	if err != nil {
		return answer{}, problem.New(problem.Invalid, "%q is no reference.", r.PathValue("reference"))
	}
	p, c, repeated, err := s.Peers.Resolve(r.Context(), r.PathValue("name"), peers.Resolution{Reference: reference, Accept: accept, Amount: in.Amount})
	if err != nil {
		return answer{}, err
	}
	out, err := newPeerDoubt(r.Context(), p, c, s.Payments.PayerOf)
	if err != nil {
		return answer{}, err
	}
	out.Repeated = repeated
	return answer{out, repeated, ledger.Amount{Value: c.Amount, Asset: p.Asset}.String(), c.State}, nil
}
