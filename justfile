# Everything that is done to this project, by name. `just` alone lists it.

tags := "urfave_cli_no_docs"
lint := "go tool -modfile=.ci/tools.mod golangci-lint"

# list the recipes
default:
    @just --list

# build ./distrust as it is released
build:
    CGO_ENABLED=0 go build -trimpath -tags {{ tags }} -ldflags '-s -w' -o distrust ./cli/distrust

# install distrust into GOBIN
install:
    CGO_ENABLED=0 go install -trimpath -tags {{ tags }} -ldflags '-s -w' ./cli/distrust

# the whole suite
test:
    go test ./...

# the suite under the race detector, all of it or some packages
race packages="./...":
    go test -race {{ packages }}

# run every fuzz target for a while each (just fuzz 30s)
fuzz time="10s":
    #!/usr/bin/env bash
    set -euo pipefail
    # New inputs are made small in a few steps: the minute that go takes for each leaves no time for others.
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    for dir in $(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do
        for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' "$dir"/*_test.go); do
            echo "== $dir $target"
            # Go's fuzzer at times takes the end of its own time for a failure (golang/go#75804).
            go test -run '^$' -fuzz "^${target}\$" -fuzztime {{ time }} -fuzzminimizetime 20x "$dir" | tee "$log" ||
                grep -A1 '^--- FAIL' "$log" | grep -qx '    context deadline exceeded'
        done
    done

# the program beside its peers, as in docs/benchmarks.md (just bench quick; just bench -only P1,P2), or docs/scale.md (just bench scale)
bench *flags:
    CGO_ENABLED=0 go run ./cli/internal/bench {{ flags }}

# Go benchmarks, all of them or those that match
microbench match=".":
    go test -run '^$' -bench '{{ match }}' -benchmem ./...

# every gate that reads the code
lint:
    {{ lint }} run
    go vet ./...
    go mod tidy -diff
    CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 go build -o /dev/null ./cli/distrust
    CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go build -o /dev/null ./cli/distrust
    CGO_ENABLED=0 GOARCH=386 go build -o /dev/null ./cli/distrust
    CGO_ENABLED=0 GOARCH=386 go test ./schema ./sshsig ./records ./records/trust

# format the code
fmt:
    {{ lint }} fmt
    just --fmt

# known vulnerabilities; needs the network, so never a gate
vuln:
    go run golang.org/x/vuln/cmd/govulncheck@latest ./...

# rewrite what docs/ shows of the program from the program itself
docs:
    go test ./docs ./cli/... -update

# what a change must pass
ci: lint test (fuzz "1s")
    just race "./cli/terminal ./records/durable ./records/index/... ./records/journal ./records/source"
