// Command distrust answers from the shell whether a file can be trusted.
package main

import (
	"os"

	"github.com/distributed-trust/distrust/cli"
)

func main() { os.Exit(cli.Main(os.Args, cli.OS())) }
