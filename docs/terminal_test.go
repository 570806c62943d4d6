package docs_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// prompt is where a question waits, and answered a line of a page on which somebody answered one.
var (
	prompt   = regexp.MustCompile(`(?m)^(Trust it\?.*\?:|.*\(yes/no\)\?) $`)
	answered = regexp.MustCompile(`(?m)^(?:Trust it\?.*\?:|.*\(yes/no\)\?) (.+)$`)
)

// talk runs a page on a terminal of its own, types the answers of each step, and gives the screen. What
// the page does not answer is answered with an empty line.
func talk(t *testing.T, page *exec.Cmd, steps []step) (string, error) {
	t.Helper()
	master, err := pty.StartWithSize(page, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	screen, now, given := "", 0, 0
	block := make([]byte, 1)
	for {
		if _, err := master.Read(block); err != nil { // on Linux the end is an error
			break
		}
		if block[0] != '\r' {
			screen += string(block)
		}
		if strings.HasSuffix(screen, marker+"\n") {
			now, given = now+1, 0
		}
		last := screen[strings.LastIndex(screen, "\n")+1:]
		if now == len(steps) || !prompt.MatchString(last) {
			continue
		}
		answer := ""
		if all := answered.FindAllStringSubmatch(steps[now].output, -1); given < len(all) {
			answer = all[given][1]
		}
		given++
		if _, err := io.WriteString(master, answer+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	return screen, page.Wait()
}

// web serves the folders of www over https, each as the host of its name, and gives the variables with
// which programs find them.
func web(t *testing.T, home string) []string {
	t.Helper()
	hosts := []string{"example.org", "github.com"}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the web of a test"}, DNSNames: hosts, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "web.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	secure, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	quiet := log.New(io.Discard, "", 0)
	pages := &http.Server{ReadHeaderTimeout: time.Minute, ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.FileServer(http.Dir(filepath.Join(home, "www", r.Host))).ServeHTTP(w, r)
	})}
	tunnels := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tunnel(w, r, secure.Addr().String())
	})}
	go func() { _ = pages.Serve(secure) }()
	go func() { _ = tunnels.Serve(proxy) }()
	t.Cleanup(func() {
		pages.Close()
		tunnels.Close()
	})
	return []string{"HTTPS_PROXY=http://" + proxy.Addr().String(), "SSL_CERT_FILE=" + file, "CURL_CA_BUNDLE=" + file}
}

// tunnel connects whoever asks for any host with the one server that there is.
func tunnel(w http.ResponseWriter, r *http.Request, to string) {
	if r.Method != http.MethodConnect {
		http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
		return
	}
	server, err := net.Dial("tcp", to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.Close()
	w.WriteHeader(http.StatusOK)
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	go func() {
		_, _ = io.Copy(server, buffered)
		server.Close()
	}()
	_, _ = io.Copy(client, server)
}
