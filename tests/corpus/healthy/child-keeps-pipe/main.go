// Command child-keeps-pipe runs a script with a time limit, and another for the end of its output.
package main

import (
	"bytes"
	"context"
	"os/exec"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

// diskUsage asks a script, which leaves a helper behind.
func diskUsage() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", "-c", "sleep 90 & echo 41%; wait")
	cmd.Stdout = &output
	cmd.WaitDelay = 100 * time.Millisecond
	err := cmd.Run()
	return output.String(), err
}

func main() {
	alive.Ready()
	for range time.Tick(500 * time.Millisecond) {
		go diskUsage()
	}
}
