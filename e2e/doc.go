// Package e2e holds whole journeys through the wallet: real processes, real Hydra, a real browser.
//
// A test starts a wallet on free ports with a data folder of its own, gives it people, each with a browser context,
// and looks at what they see. Tests share nothing, and leave no process behind. They run with POCHI_E2E=1 only, since
// they need bin/pochi, bin/hydra, Chromium and the driver: `make test` brings them all.
//
// Beside them are tests against other implementations of Interledger, whose programs are in peers/. They need only Node.js and
// what `npm ci` fetches here: the same journeys run with books in memory, which is quick, and with POCHI_E2E=1 in real wallets.
package e2e
