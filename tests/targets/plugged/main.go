// Command plugged loads a plugin, which leaks: that of its argument at once, and when it is told to:
//
//	load PATH  opens the plugin and has it start; OK
//
// The main goroutine serves package control's commands. The plugin is target `plugin`, of the same Go.
package main

import (
	"os"
	"plugin"

	"example.org/leak-agent/targets/internal/control"
)

func main() {
	if len(os.Args) > 1 {
		if answer := load(os.Args[1:]); answer != "OK" {
			os.Stderr.WriteString(answer + "\n")
			os.Exit(1)
		}
	}
	control.ServeQuick(map[string]control.Command{"load": load})
}

func load(args []string) string {
	if len(args) != 1 {
		return "ERR load PATH"
	}
	opened, err := plugin.Open(args[0])
	if err != nil {
		return "ERR " + err.Error()
	}
	start, err := opened.Lookup("Start")
	if err != nil {
		return "ERR " + err.Error()
	}
	start.(func())()
	return "OK"
}
