package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"pochi/app/config"
)

const (
	hydraStep    = 200 * time.Millisecond // between two looks at Hydra
	hydraTries   = 100                    // until its absence is worth a line
	hydraTimeout = 2 * time.Second        // of one look
)

// announce prints the wallet's URL once Ory Hydra answers too. If Hydra is
// long in coming it says so, and goes on waiting until ctx ends.
func announce(ctx context.Context, cfg config.Config, out io.Writer, step time.Duration) {
	client := &http.Client{Timeout: hydraTimeout}
	tick := time.NewTicker(step)
	defer tick.Stop()
	for try := 1; !hydraReady(ctx, client, cfg); try++ {
		if try == hydraTries {
			fmt.Fprintf(out, "%s serves without Ory Hydra, which doesn't answer at %s: no app can be connected\n", cfg.PublicURL, cfg.HydraAdminURL)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
	fmt.Fprintf(out, "Ready: %s (Ctrl-C stops it)\n", cfg.PublicURL)
}

func hydraReady(ctx context.Context, client *http.Client, cfg config.Config) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, cfg.HydraAdminURL+"/health/ready", nil)
	if err != nil {
		return false
	}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}
