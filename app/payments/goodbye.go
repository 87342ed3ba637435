package payments

import "runtime/debug"

// goodbyesMax bounds how many receivers are told at once that a payment has
// ended. One that isn't told loses nothing.
const goodbyesMax = 256

// sayGoodbye tells the receiver that a payment has ended. Nothing waits for it,
// since the answer may take as long as a packet.
func (s *Service) sayGoodbye(goodbye func()) {
	select {
	case s.goodbyes <- struct{}{}:
	default:
		return
	}
	go func() {
		defer func() {
			if value := recover(); value != nil {
				s.Log.Error("a goodbye panicked", "panic", value, "stack", string(debug.Stack()))
			}
			<-s.goodbyes
		}()
		goodbye()
	}()
}
