package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"pochi/ilp"
)

// config is what a shop has to be told: its own, and what the wallet's page for developers says.
type config struct {
	Name     string
	Listen   string // host:port
	URL      string // of the shop, as browsers reach it
	Data     string // folder of its own
	Wallet   string // URL of the wallet's pages and API
	Issuer   string // whose tokens they are: Hydra's URL
	ClientID string
	Secret   string
	Pointer  string // the payment pointer that the shop is paid at
	Asset    ilp.Asset
	Stem     uint64 // price of a stem, in the asset's smallest unit
}

// readConfig reads the variables. All are required: this is a shop for trying things out, and the demo sets them.
func readConfig() (config, error) {
	var missing []string
	get := func(name string) string {
		value := os.Getenv(name)
		if value == "" {
			missing = append(missing, name)
		}
		return value
	}
	c := config{
		Name: get("SHOP_NAME"), Listen: get("SHOP_LISTEN"), URL: get("SHOP_URL"), Data: get("SHOP_DATA"),
		Wallet: get("SHOP_WALLET"), Issuer: get("SHOP_ISSUER"), ClientID: get("SHOP_CLIENT_ID"), Pointer: get("SHOP_POINTER"),
	}
	asset, file, stem := get("SHOP_ASSET"), get("SHOP_SECRET_FILE"), get("SHOP_STEM")
	if len(missing) > 0 {
		return c, fmt.Errorf("not set: %s", strings.Join(missing, ", "))
	}
	secret, err := os.ReadFile(file)
	if err != nil {
		return c, fmt.Errorf("SHOP_SECRET_FILE: %w", err)
	}
	c.Secret = strings.TrimSpace(string(secret))
	if c.Asset, err = parseAsset(asset); err != nil {
		return c, fmt.Errorf("SHOP_ASSET is %q: %w", asset, err)
	}
	if c.Stem, err = strconv.ParseUint(stem, 10, 32); err != nil || c.Stem == 0 {
		return c, fmt.Errorf("SHOP_STEM is %q: it must be a price in the asset's smallest unit", stem)
	}
	return c, nil
}

// parseAsset reads an asset such as KES/2.
func parseAsset(text string) (ilp.Asset, error) {
	code, scale, ok := strings.Cut(text, "/")
	n, err := strconv.ParseUint(scale, 10, 8)
	if !ok || err != nil || code == "" || n > 9 {
		return ilp.Asset{}, fmt.Errorf("it must be a currency with its decimals, such as KES/2")
	}
	return ilp.Asset{Code: code, Scale: uint8(n)}, nil
}
