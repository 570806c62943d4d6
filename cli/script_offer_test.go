package cli_test

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// offer FOLDER puts the files of a folder on a web server, over TLS, and sets URL to its address;
// SSL_CERT_FILE then holds what vouches for it. Where there is NAME.redirect, NAME leads to where it says;
// of what lies in NAME.hangs NAME sends that much, and no end.
func offer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: offer FOLDER")
	}
	folder := ts.MkAbs(args[0])
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file := filepath.Join(folder, filepath.FromSlash(path.Clean("/"+r.URL.Path)))
		if to, err := os.ReadFile(file + ".redirect"); err == nil {
			http.Redirect(w, r, strings.TrimSpace(string(to)), http.StatusFound)
			return
		}
		if b, err := os.ReadFile(file + ".hangs"); err == nil {
			_, _ = w.Write(b)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		b, err := os.ReadFile(file)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(b)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	certificate := ts.MkAbs("server.pem")
	ts.Check(os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	ts.Setenv("SSL_CERT_FILE", certificate)
	ts.Setenv("URL", server.URL)
	ts.Defer(server.Close)
}
