package main

import (
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
)

// server is git's own server behind http, on loopback.
type server struct {
	url  string
	http *http.Server
}

// serve serves the repositories in a folder.
func serve(dir string) (*server, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{url: "http://" + listener.Addr().String(), http: &http.Server{Handler: &cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Stderr: io.Discard,
		Env: append(stockEnv(os.DevNull), "GIT_PROJECT_ROOT="+dir, "GIT_HTTP_EXPORT_ALL=1"),
	}}}
	go s.http.Serve(listener) //nolint:errcheck // it ends when it is closed
	return s, nil
}

func (s *server) close() { s.http.Close() }

// address is where a repository of ours is fetched from.
func (s *server) address(name string) string { return s.url + "/" + filepath.Base(name) }
