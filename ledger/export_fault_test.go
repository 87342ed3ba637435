package ledger

import "context"

// CurrentSizes returns the sizes that ledgers are opened with.
func CurrentSizes() Sizes {
	return Sizes{
		Accounts: accountsKept, Holds: holdsKept, QuietAfter: quietAfter, SegmentFull: segmentFull, SegmentIdle: segmentIdle,
		SlicePerRow: slicePerRow, SliceLeast: sliceLeast, SliceIdle: sliceAtIdle, SliceCatch: sliceCatchUp,
	}
}

// Pass is how far the index is.
type Pass struct {
	Frozen         int // transfers of the pass that is under way, 0 for none
	History, Names int // rows of it that were inserted
}

// Pass waits until the next slice is ready to be inserted. It must be called
// while the writer waits.
func (l *Ledger) Pass() (p Pass) {
	if s := l.index.frozen; s != nil {
		<-s.sorted
		p.Frozen = len(s.entries)
		p.History = min(s.done, len(s.history))
		p.Names = max(s.done-len(s.history), 0)
	}
	return p
}

// Watermark returns the last transfer that is indexed.
func (l *Ledger) Watermark(ctx context.Context) (seq int64, err error) {
	err = l.db.Read.QueryRowContext(ctx, "SELECT seq FROM indexed").Scan(&seq)
	return seq, err
}
