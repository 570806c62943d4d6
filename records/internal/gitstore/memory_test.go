package gitstore

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

// fetchVariable makes the test binary a process that fetches from an address and says what it took.
const fetchVariable = "GITSTORE_FETCH_URL"

// fetchAndMeasure fetches once and prints the memory that it held before, and at most.
func fetchAndMeasure(url string) error {
	dir, err := os.MkdirTemp("", "gitstore")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := OpenStore(filepath.Join(dir, "store"))
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	idle, err := resident("VmRSS")
	if err != nil {
		return err
	}
	_, failed := s.Fetch(context.Background(), FetchOptions{URL: url, Access: Access{Insecure: true}})
	peak, err := resident("VmHWM")
	fmt.Println(idle, peak, failed)
	return err
}

// resident reads one number of bytes of this process.
func resident(field string) (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, field+": %d kB", &kib); n == 1 {
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("no %s", field)
}

// stored is what deflate makes without trying: half a million writers would take minutes.
func stored(data []byte) []byte {
	b := []byte{0x78, 0x01, 1}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(data)))
	b = binary.LittleEndian.AppendUint16(b, ^uint16(len(data)))
	return binary.BigEndian.AppendUint32(append(b, data...), adler32.Checksum(data))
}

// TestHostileMemory lets servers send what takes the most memory, to a process of its own: it stays
// below 128 MiB above what it holds before.
func TestHostileMemory(t *testing.T) {
	t.Parallel()
	if _, err := resident("VmHWM"); err != nil || underRace {
		t.Skip("the memory of a process is not known here")
	}
	f := &forge{}
	tip := f.commit(f.tree(entry{mode: modeFile, name: headFile, hash: f.blob("kind: head\n")}))
	honest := func() (entries [][]byte) {
		for _, h := range f.order {
			entries = append(entries, packEntry(packKinds[f.objects[h].kind], f.objects[h].data))
		}
		return entries
	}
	big := packEntry(3, make([]byte, 4<<20))
	for name, pack := range map[string]func(io.Writer){
		"count of objects": func(w io.Writer) { w.Write(packHeader(1<<32 - 1)) },
		"delta bomb":       func(w io.Writer) { w.Write(bomb()) },
		"honest":           func(w io.Writer) { w.Write(f.packOf()) },
		"as many objects as there may be": func(w io.Writer) {
			entries := honest()
			for i := range 500_000 - len(entries) {
				text := fmt.Append(nil, i)
				entries = append(entries, append(objectHeader(3, int64(len(text))), stored(text)...))
			}
			w.Write(finishPack(len(entries), entries...))
		},
		"as many deltas as there may be": func(w io.Writer) {
			entries := append(honest(), packEntry(3, []byte("x")))
			back := len(entries[len(entries)-1])
			for len(entries) < 500_000 {
				text := fmt.Sprintf("%07d", len(entries))
				delta := append([]byte{1, byte(len(text)), byte(len(text))}, text...)
				e := offsetDeltaOf(back, delta, stored(delta))
				back += len(e)
				entries = append(entries, e)
			}
			w.Write(finishPack(len(entries), entries...))
		},
		"large objects and deltas on them": func(w io.Writer) {
			entries := honest()
			for range 60 {
				delta := binary.AppendUvarint(binary.AppendUvarint(nil, 4<<20), 4<<20)
				for range 64 {
					delta = append(delta, 0x80|0x40, 0x01) // copy 64 KiB from the start
				}
				entries = append(entries, big, offsetDelta(len(big), delta))
			}
			w.Write(finishPack(len(entries), entries...))
		},
		"large objects": func(w io.Writer) {
			entries := honest()
			for i := range 120 {
				b := make([]byte, 4<<20)
				b[0] = byte(i)
				entries = append(entries, packEntry(3, b))
			}
			w.Write(finishPack(len(entries), entries...))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := hostile{tip: tip, pack: pack}
			command := exec.Command(os.Args[0])
			command.Env = []string{fetchVariable + "=" + server.serve(t), "TMPDIR=" + t.TempDir(), "GOMEMLIMIT=384MiB"}
			out, err := command.Output()
			if err != nil {
				t.Fatal(err)
			}
			var idle, peak int64
			if _, err := fmt.Sscan(string(out), &idle, &peak); err != nil {
				t.Fatalf("it said %q", out)
			}
			if above := peak - idle; above > 128<<20 {
				t.Errorf("%d MiB above the %d MiB of before", above>>20, idle>>20)
			}
		})
	}
}
