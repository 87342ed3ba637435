package server

import (
	"context"
	"log/slog"
	"runtime/debug"

	"pochi/app/peers"
)

// logStart says in one line what serves, where, and with whom.
func (s *server) logStart(ctx context.Context, l listeners) {
	attributes := []slog.Attr{
		slog.String("url", s.about.PublicURL), slog.Any("pages", l.pages.Addr()), slog.Any("ilp", l.packets.Addr()), slog.Any("ops", l.ops.Addr()),
		slog.String("ilp_address", s.about.ILPAddress), slog.String("env", s.about.Env), slog.String("database", s.about.DB),
	}
	if revision := revision(); revision != "" {
		attributes = append(attributes, slog.String("revision", revision))
	}
	all, err := peers.Load(ctx, s.db.Read)
	if err != nil {
		s.log.Error("the peers can't be read", "error", err)
	}
	attributes = append(attributes, slog.Int("peers", len(all)))
	var silent []string
	for _, p := range all {
		if p.OutgoingURL == "" {
			silent = append(silent, p.Name)
		}
	}
	if silent != nil {
		attributes = append(attributes, slog.Any("peers_that_take_no_packets", silent))
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "the wallet serves", attributes...)
}

// revision is the commit that the program was built from, "" when it doesn't know.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	text := ""
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			text = setting.Value + text
		case setting.Key == "vcs.modified" && setting.Value == "true":
			text += " and changes"
		}
	}
	return text
}
