package connector_test

import (
	"math"
	"testing"

	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
)

// Hazards 14 and 15: conversion rounds down, and to zero is a reject.
func TestExchange(t *testing.T) {
	for _, c := range []struct{ in, out uint64 }{{1000, 913}, {2, 1}, {10_000, 9137}, {999_999, 913_699}} {
		n := newNode(t)
		n.payee.Asset = eur
		if reply := n.handle(n.prepare(t, c.in)); reply.Type() != packet.TypeFulfill {
			t.Errorf("%d: %v", c.in, reply)
			continue
		}
		if d := n.deliveries[0]; d.AmountIn != c.in || d.AmountOut != c.out || d.From.Asset != usd || d.To.Asset != eur {
			t.Errorf("%+v, want %d to become %d", d, c.in, c.out)
		}
	}
	n := newNode(t)
	n.payee.Asset = eur
	n.wantReject(t, "rounds to zero", n.handle(n.prepare(t, 1)), packet.InsufficientSource)
	n.wantReject(t, "a probe that rounds to zero", n.handle(n.probe(t, 1)), packet.InsufficientSource)
}

func TestExchangeOfZeroAsksNobody(t *testing.T) {
	n := newNode(t)
	n.payee.Asset, n.rateErr = eur, errDown
	if reply := n.handle(n.prepare(t, 0)); reply.Type() != packet.TypeFulfill || n.converted != 0 {
		t.Errorf("%v, converted %d times", reply, n.converted)
	}
}

func TestExchangeWithoutARate(t *testing.T) {
	n := newNode(t)
	n.payee.Asset = ilp.Asset{Code: "KES", Scale: 2}
	n.wantReject(t, "no rate", n.handle(n.prepare(t, 5)), packet.InternalError)
	n.payee.Asset, n.rateErr = eur, errDown
	n.wantReject(t, "rates down", n.handle(n.prepare(t, 5)), packet.InternalError)
}

// Hazards 7 and 15: amounts are exact up to 2^63-1, and what would overflow is told the exact limit.
func TestExchangeOverflow(t *testing.T) {
	n := newNode(t)
	n.payee.Asset = jpy
	n.balance = math.MaxUint64
	j := n.wantReject(t, "overflow", n.handle(n.prepare(t, math.MaxInt64)), packet.TooLarge)
	data, ok := packet.ParseAmountTooLarge(j.Data)
	// The largest x with floor(x × 151 / 100) below 2^63.
	want := packet.AmountTooLarge{Received: math.MaxInt64, Maximum: 6_108_193_401_890_580_005}
	if !ok || data != want {
		t.Fatalf("%+v, want %+v", data, want)
	}
	n.wantReject(t, "one above", n.handle(n.prepare(t, want.Maximum+1)), packet.TooLarge)
	if reply := n.handle(n.prepare(t, want.Maximum)); reply.Type() != packet.TypeFulfill {
		t.Errorf("the maximum: %v", reply)
	}
	if d := n.deliveries[0]; d.AmountOut != math.MaxInt64 {
		t.Errorf("%+v", d)
	}
}

// The books hold signed integers: more is told the limit.
func TestMoreThanTheBooksHold(t *testing.T) {
	n := newNode(t)
	n.balance = math.MaxUint64
	for _, amount := range []uint64{math.MaxInt64 + 1, math.MaxUint64} {
		j := n.wantReject(t, "too large", n.handle(n.prepare(t, amount)), packet.TooLarge)
		if data, ok := packet.ParseAmountTooLarge(j.Data); !ok || data != (packet.AmountTooLarge{Received: amount, Maximum: math.MaxInt64}) {
			t.Errorf("%d: %+v", amount, data)
		}
	}
}

func TestLargeAmountsAreExact(t *testing.T) {
	for _, amount := range []uint64{1<<53 + 1, math.MaxInt64} {
		n := newNode(t)
		n.balance = math.MaxUint64
		if reply := n.handle(n.prepare(t, amount)); reply.Type() != packet.TypeFulfill {
			t.Errorf("%d: %v", amount, reply)
		}
		if want := (connector.Delivery{From: n.deliveries[0].From, To: n.payee, AmountIn: amount, AmountOut: amount}); n.deliveries[0] != want {
			t.Errorf("%+v", n.deliveries[0])
		}
	}
}
