package ilphttp_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"sync"
)

// certified is httptest's certificate for 127.0.0.1, and who trusts it.
var certified = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.TLS.Certificates[0], pool
})

func certificate() tls.Certificate {
	certificate, _ := certified()
	return certificate
}

func trusting() *tls.Config {
	_, pool := certified()
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}
