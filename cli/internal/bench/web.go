package main

import (
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
)

// web serves repositories by name and over TLS, as they are reached through records that others
// publish: these name https addresses, which have to be the same in every run. So a proxy leads to the
// one host that there is.
type web struct {
	server      *httptest.Server
	proxy       *httptest.Server
	certificate string       // a file
	requests    atomic.Int64 // that were answered
	bytes       atomic.Int64 // that went through the proxy, both ways
}

// webAddress is where somebody's repository is found. The certificate of httptest is that host's.
func webAddress(p *person) string { return "https://example.com/scale/" + p.name + ".git" }

// serveWeb serves what handler serves. The certificate is put into a folder.
func serveWeb(handler http.Handler, dir string) (*web, error) {
	w := &web{certificate: filepath.Join(dir, "certificate.pem")}
	w.server = httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		handler.ServeHTTP(out, r)
	}))
	w.proxy = httptest.NewServer(http.HandlerFunc(w.connect))
	// A real machine has many more certificates, and every process that fetches reads them.
	all, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	block := &pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw}
	return w, os.WriteFile(w.certificate, append(all, pem.EncodeToMemory(block)...), 0o600)
}

// connect leads a client of the proxy to the server, whatever host it asks for.
func (w *web) connect(out http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(out, "this is a proxy", http.StatusMethodNotAllowed)
		return
	}
	server, err := net.Dial("tcp", w.server.Listener.Addr().String())
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.Close()
	client, _, err := http.NewResponseController(out).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	go func() {
		n, _ := io.Copy(server, client)
		w.bytes.Add(n)
		server.Close()
	}()
	n, _ := io.Copy(client, server)
	w.bytes.Add(n)
}

// reaches has a command find the server.
func (w *web) reaches(c command) command {
	c.env = append(c.env, "HTTPS_PROXY="+w.proxy.URL, "SSL_CERT_FILE="+w.certificate)
	return c
}

// traffic gives what was asked and carried since the last call.
func (w *web) traffic() (requests, bytes int64) { return w.requests.Swap(0), w.bytes.Swap(0) }

func (w *web) close() {
	w.proxy.Close()
	w.server.Close()
}
