// Command poll-per-deployment polls until a deployment is ready, for ever: some never are.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"k8s.io/apimachinery/pkg/util/wait"
)

type deployment struct{ ready bool }

func (d *deployment) wait() error {
	poll := 300 * time.Millisecond
	isReady := func(context.Context) (bool, error) { return d.ready, nil }
	return wait.PollUntilContextCancel(context.Background(), poll, false, isReady) // want: select likely
}

func main() {
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		go (&deployment{}).wait()
	}
}
