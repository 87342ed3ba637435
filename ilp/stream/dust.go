package stream

import "context"

const (
	// askTries is from which refusal in a row on, for want of liquidity and before anything got through, dust is asked about,
	// and maxBarred after how many answers that it doesn't get through either nothing more is sent.
	askTries  = 3
	maxBarred = 2
	// dustStep is how many times as much is asked about when nothing of it would arrive.
	dustStep = 4
)

// askDust asks, with packets that nobody can fulfill, whether at least a thousandth of what is left gets through, or a little
// more where that is worth nothing. If it doesn't even then, there is no size to be found.
func (run *sending) askDust(ctx context.Context) {
	for size := max(1, (run.Amount-run.result.Sent)/dustPart); size <= run.window.size; size *= dustStep {
		a, err := run.exchange(ctx, request{amount: size, deadline: run.Deadline})
		if err != nil {
			return // if it is final, the next packet finds that out
		}
		v := verdict{}
		if a.reject != nil && !a.authentic {
			v = judge(a.reject.Code)
		}
		switch v.reason {
		case TooSmall:
			continue
		case Illiquid:
			if run.barred++; run.barred >= maxBarred {
				run.fail(&Failure{Reason: Illiquid, Reject: a.reject})
			}
		default:
			run.barred = 0
		}
		return
	}
}
