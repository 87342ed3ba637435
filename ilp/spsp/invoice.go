package spsp

import (
	"encoding/json"
	"strconv"

	"pochi/ilp"
)

// Invoice is what a receiver asks for that is paid a certain amount, in units of Asset. The answer has it as earlier drafts of
// RFC 9 had, in the members balance and asset_info; others ignore them.
type Invoice struct {
	Asset    ilp.Asset
	Amount   uint64 // in all; 0 when there is no invoice
	Received uint64 // of it so far
}

// Left returns what is still to be paid.
func (i Invoice) Left() uint64 { return i.Amount - min(i.Amount, i.Received) }

// invoiceWire is an Invoice as JSON has it.
type invoiceWire struct {
	Balance   json.RawMessage `json:"balance,omitempty"`
	AssetInfo json.RawMessage `json:"asset_info,omitempty"`
}

type balance struct {
	Maximum string `json:"maximum"`
	Current string `json:"current"`
}

type assetInfo struct {
	Code  string `json:"code"`
	Scale *uint8 `json:"scale"`
}

func (i Invoice) wire() (w invoiceWire) {
	if i.Amount == 0 {
		return w
	}
	// Neither can fail: they are strings and a number.
	w.Balance, _ = json.Marshal(balance{strconv.FormatUint(i.Amount, 10), strconv.FormatUint(i.Received, 10)})
	w.AssetInfo, _ = json.Marshal(assetInfo{i.Asset.Code, &i.Asset.Scale})
	return w
}

// invoice returns what was read, the zero Invoice unless all of it makes sense.
func (w invoiceWire) invoice() Invoice {
	var b balance
	var a assetInfo
	if json.Unmarshal(w.Balance, &b) != nil || json.Unmarshal(w.AssetInfo, &a) != nil || a.Code == "" || a.Scale == nil {
		return Invoice{}
	}
	maximum, err := strconv.ParseUint(b.Maximum, 10, 64)
	if err != nil || maximum == 0 {
		return Invoice{}
	}
	current, err := strconv.ParseUint(b.Current, 10, 64)
	if err != nil {
		return Invoice{}
	}
	return Invoice{Asset: ilp.Asset{Code: a.Code, Scale: *a.Scale}, Amount: maximum, Received: current}
}
