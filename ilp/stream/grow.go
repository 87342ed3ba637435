package stream

const (
	// How many packets must get through before one that is larger than the path took is tried: at first, and at most.
	firstQuiet = 32
	mostQuiet  = 8192
	// quietFactor is how many times as many it is after each try that was in vain, and each time that the path took less than
	// before. So one that changes its mind all the time, or lies, gets fewer and fewer tries.
	quietFactor = 4
	// tryPart is the smallest part by which a larger packet is worth trying, and the part of the window that it may take.
	tryPart = 16
	tryRoom = 4
)

// growth knows when a path that took small packets is worth asking for a larger one: with one packet of the payment.
type growth struct {
	through uint64 // how many packets got through since one was too large
	quiet   uint64 // how many that must be
	step    uint64 // how much larger the next one is
	trying  uint64 // the sequence of the one that is under way, 0 if none is
}

func newGrowth(step uint64) growth { return growth{quiet: firstQuiet, step: step} }

// failed learns that a packet was too large that was thought to fit, or was a try.
func (g *growth) failed() { g.through, g.quiet, g.trying = 0, min(mostQuiet, g.quiet*quietFactor), 0 }

// larger returns the size of a packet that is worth a try, of at most limit: more than max, or 0.
func (z *sizes) larger(limit uint64) uint64 {
	if z.trying != 0 || z.through < z.quiet || limit <= z.max || !z.exact && !z.found() {
		return 0
	}
	return min(limit, addSaturating(z.max, z.step))
}

// grew learns that a try of this size got through. The next one may follow, and is twice as large.
func (z *sizes) grew(size uint64) {
	z.fits, z.max, z.exact = size, size, true
	z.step, z.trying = size, 0
}

// tried learns that a try of this size didn't get through; data is that of an F08. The next one is as large as the path says
// that it takes now, or is half-way to this one.
func (z *sizes) tried(size uint64, data []byte) {
	z.failed()
	limit, ok := toldLimit(size, data)
	switch {
	case ok && limit > z.max:
		z.step = limit - z.max
	case ok && limit < z.max:
		z.shrink(size, data)
	default:
		z.step = max(z.step/2, z.max/tryPart, 1)
	}
}
