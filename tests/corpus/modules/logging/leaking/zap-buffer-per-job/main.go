// Command zap-buffer-per-job gives each job a logger that writes through a buffer, and never stops the
// buffer, whose goroutine flushes it every 30 seconds.
package main

import (
	"io"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func run(job int) {
	buffer := &zapcore.BufferedWriteSyncer{WS: zapcore.AddSync(io.Discard)}
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	logger := zap.New(zapcore.NewCore(encoder, buffer, zap.InfoLevel))
	logger.Info("done", zap.Int("job", job)) // want: not-closed likely // cause: zapcore.BufferedWriteSyncer
}

func main() {
	alive.Ready()
	for job := 0; ; job++ {
		run(job)
		time.Sleep(300 * time.Millisecond)
	}
}
