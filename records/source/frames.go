package source

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
)

// What the process that fetches (S3.3) writes: frames of a kind (one byte), a length (four bytes,
// the greatest first) and so many bytes.
type frameKind byte

const (
	frameHello    frameKind = 'v' // helloText, once, before anything else
	frameFetched  frameKind = 'f' // nothing
	frameFiles    frameKind = 'l' // lines of a list of files; a path alone is a file that is gone
	frameHead     frameKind = 'h' // an envelope
	frameClaim    frameKind = 'c' // JSON of a claim; answered
	frameRecord   frameKind = 'r' // an envelope
	frameQuestion frameKind = 'q' // JSON of a question; answered
	frameEnd      frameKind = 'e' // JSON of an ending; the last one
)

// helloText says which program speaks, and that it is this one.
const helloText = "distrust fetch 1"

// order is what the process that fetches is told, as JSON. After it come the answers.
type order struct {
	Job             job
	Agent           string   // of [SSH]
	KnownHosts      []string // of [SSH]
	AskHost, AskKey bool     // whether there is somebody to ask about hosts, and for credentials
}

// question is what only the process that was started by the user can answer.
type question struct {
	Host *HostKey // whether this host may be trusted
	URL  string   // else: what user and secret this address wants
}

// answer answers a claim or a question.
type answer struct {
	Again        bool
	User, Secret string
	Refused      string // why not; "" when it is not refused
}

// ending is what came of a job.
type ending struct {
	Unchanged bool
	Fault     *fault
}

// maxFrame is how long a frame may be that answers a job.
func (k frameKind) maxFrame(j *job) int64 {
	const paths, mega = 4 << 10, 1 << 20
	switch k {
	case frameHello:
		return int64(len(helloText))
	case frameFiles, frameQuestion, frameEnd:
		return mega
	case frameHead:
		return schema.MaxHeadBytes + schema.MaxSignatureBytes + paths
	case frameClaim:
		if !j.Beside {
			return mega
		}
		return 32 * mega // the names at the top of a repository, as JSON writes them
	case frameRecord:
		return 2*j.Limits.ObjectBytes + paths
	case frameFetched:
	}
	return 0
}

// frameWriter is the sink of a job in a process of its own: everything goes out as frames. Errors
// are about the pipe: whoever started the process is gone.
type frameWriter struct {
	out    *bufio.Writer
	answer func() (answer, error)
}

func (w frameWriter) write(kind frameKind, parts ...[]byte) error {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	head := binary.BigEndian.AppendUint32([]byte{byte(kind)}, uint32(size))
	for _, p := range append([][]byte{head}, parts...) {
		if _, err := w.out.Write(p); err != nil {
			return fmt.Errorf("answering: %w", err)
		}
	}
	return nil
}

func (w frameWriter) writeJSON(kind frameKind, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("answering: %w", err)
	}
	if err := w.write(kind, b); err != nil {
		return err
	}
	return w.out.Flush()
}

func (w frameWriter) fetched() error {
	saveMemory() // the lists of files come next
	if err := w.write(frameFetched); err != nil {
		return err
	}
	return w.out.Flush()
}

func (w frameWriter) files(changes []file) error {
	const often = 16 << 10
	lines := make([]byte, 0, often+1<<10)
	for _, f := range changes {
		if f.gone() {
			lines = append(append(lines, f.path...), '\n')
		} else {
			lines = f.appendLine(lines)
		}
		if len(lines) > often {
			if err := w.write(frameFiles, lines); err != nil {
				return err
			}
			lines = lines[:0]
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return w.write(frameFiles, lines)
}

func (w frameWriter) head(e records.Envelope) error { return w.envelope(frameHead, e) }

func (w frameWriter) record(e records.Envelope) error { return w.envelope(frameRecord, e) }

// envelope writes path, document and signature, the first two with their lengths.
func (w frameWriter) envelope(kind frameKind, e records.Envelope) error {
	return w.write(kind,
		binary.AppendUvarint(nil, uint64(len(e.Path))), []byte(e.Path),
		binary.AppendUvarint(nil, uint64(len(e.YAML))), e.YAML, e.Sig)
}

func (w frameWriter) claim(c claim) (again bool, err error) {
	if err := w.writeJSON(frameClaim, c); err != nil {
		return false, err
	}
	a, err := w.answer()
	return a.Again, err
}

// ask puts a question to whoever started the process.
func (w frameWriter) ask(q question) (answer, error) {
	if err := w.writeJSON(frameQuestion, q); err != nil {
		return answer{}, err
	}
	a, err := w.answer()
	if err == nil && a.Refused != "" {
		err = errors.New(a.Refused)
	}
	return a, err
}

// frameReader reads frames of somebody who is not trusted.
type frameReader struct {
	in  *bufio.Reader
	job *job
}

// next gives the next frame; its payload is the caller's.
func (r *frameReader) next() (frameKind, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return 0, nil, err
	}
	kind, size := frameKind(head[0]), int64(binary.BigEndian.Uint32(head[1:]))
	if size > kind.maxFrame(r.job) {
		return 0, nil, unbelievable("more than there may be")
	}
	payload := make([]byte, size)
	_, err := io.ReadFull(r.in, payload)
	return kind, payload, err
}

// parseEnvelope reads what frameWriter.envelope wrote.
func parseEnvelope(b []byte) (records.Envelope, error) {
	var parts [2][]byte
	for i := range parts {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return records.Envelope{}, unbelievable("a document that is none")
		}
		parts[i], b = b[n:n+int(size)], b[n+int(size):]
	}
	e := records.Envelope{Path: string(parts[0]), YAML: parts[1]}
	if len(b) > 0 {
		e.Sig = b
	}
	return e, nil
}

// parseFiles reads what frameWriter.files wrote.
func parseFiles(b []byte) ([]file, error) {
	if len(b) == 0 {
		return nil, unbelievable("a list of files that is none")
	}
	changes := make([]file, 0, bytes.Count(b, []byte("\n"))+1)
	for line := range bytes.Lines(b) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		if !bytes.ContainsRune(line, ' ') {
			changes = append(changes, file{path: string(line)})
			continue
		}
		f, err := parseFile(line)
		if err != nil {
			return nil, unbelievable("a list of files that is none")
		}
		changes = append(changes, f)
	}
	return changes, nil
}
