package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"

	"pochi/ilp/ilphttp"
)

// bareSpec is what a bare server is told: where to listen, and what to answer.
type bareSpec struct {
	Listen string
	Answer []byte
}

// serveBare is the least that net/http can do: it reads each request, looks at nothing, and answers always the same.
func serveBare(spec []byte, in *bufio.Reader) error {
	var s bareSpec
	if err := json.Unmarshal(spec, &s); err != nil {
		return err
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", ilphttp.ContentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(s.Answer)))
		w.Write(s.Answer)
	})}
	l, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return err
	}
	fmt.Println("serving")
	asked := make(chan error, 1)
	go func() {
		err := answerQuestions(in)
		asked <- errors.Join(err, srv.Close())
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-asked
}

// startBare starts a bare server and returns its host and port.
func startBare(b *testing.B, answer []byte) (*child, string) {
	b.Helper()
	at := "127.0.0.1:" + freePorts(b, 1)[0]
	return startChild(b, "bare", bareSpec{at, answer}), at
}
