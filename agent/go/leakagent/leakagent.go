// Package leakagent lets a program watch itself for leaks: it starts leak-agent as a child of its own, lets that child
// alone read it, and hands on what the agent finds. Neither root nor any capability is needed.
//
//	agent, err := leakagent.Start(leakagent.Options{})
//	if err != nil {
//		slog.Warn("leaks are not watched for", "error", err)
//	}
//
// The agent reads the program's memory from outside. In the program there are two goroutines more, which wait for what the
// agent says. The agent ends with the program, however that ends, at its next sample.
package leakagent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// Options say which agent is started, and what becomes of what it finds. The zero value is of use.
type Options struct {
	// Path is the agent's executable. If it is empty, leak-agent is searched for in PATH.
	Path string
	// Flags are further flags of `leak-agent monitor`, such as "--interval", "30s". The agent sends nothing by OTLP unless
	// they, or its own variables, say where to: OpenTelemetry's variables are the program's, and are not handed on.
	Flags []string
	// OnEvent is called with all that happens to findings, one event at a time. If it is nil, they are logged. It must
	// not call Stop, which waits for it to return.
	OnEvent func(Event)
	// Logger is what events are logged to. If it is nil, slog.Default() is.
	Logger *slog.Logger
}

// Event is something that has happened to a finding.
type Event struct {
	// Kind is "appeared", "changed" or "ended"; later versions of the agent may have more.
	Kind string `json:"event"`
	// Worsened says whether it changed for the worse: surer, or as sure and more severe.
	Worsened bool `json:"worsened"`
	// Finding is the finding as it is now; as it was last, where it has ended.
	Finding Finding `json:"finding"`
}

// Finding is something that leaks, in brief. What its values can be, docs/monitor.md says.
type Finding struct {
	// ID is the same for as long as the program runs, and in each run of the same program.
	ID string `json:"id"`
	// Class is what kind of leak it is, such as "channel-send".
	Class string `json:"class"`
	// Verdict is how sure it is: "suspect", "likely" or "proven".
	Verdict string `json:"verdict"`
	// Severity is how bad it is.
	Severity string `json:"severity"`
	// Count is how many goroutines it is of.
	Count uint64 `json:"count"`
	// Cause is why, in a sentence; empty once it has ended.
	Cause string `json:"cause"`
	// At is the line that it is told by; nil where that is not known, or it has ended.
	At *Place `json:"at"`
}

// Place is a line of source.
type Place struct {
	// Function is its full name, as in "main.(*pool).run".
	Function string `json:"function"`
	// File is the source file, as it was called when the program was built.
	File string `json:"file"`
	// Line counts from 1.
	Line int `json:"line"`
}

// String is the place as compilers write it.
func (p *Place) String() string {
	return p.File + ":" + strconv.Itoa(p.Line)
}

// Agent is an agent that was started.
type Agent struct {
	command *exec.Cmd
	said    tail
	done    chan struct{}
	err     error
	stop    sync.Once
}

// The kernel lets one child alone read this process.
var (
	watching  sync.Mutex
	isWatched bool
)

// ErrRunning is the error of Start where an agent that was started before has not ended.
var ErrRunning = errors.New("leakagent: an agent runs already")

// Start starts the agent. Where there is none the error is one of exec.ErrNotFound, and nothing was done.
func Start(options Options) (*Agent, error) {
	path := options.Path
	if path == "" {
		path = "leak-agent"
	}
	path, err := exec.LookPath(path)
	if err != nil {
		return nil, fmt.Errorf("leakagent: %w", err)
	}
	flags := []string{"monitor", "--format", "json", "--probes", "off", "--fail-on", "never"}
	flags = append(flags, options.Flags...)
	flags = append(flags, "--pid", strconv.Itoa(os.Getpid()))
	agent := &Agent{command: exec.Command(path, flags...), done: make(chan struct{})}
	agent.command.Env = environment()
	agent.command.Stderr = &agent.said
	output, err := agent.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("leakagent: %w", err)
	}
	watching.Lock()
	defer watching.Unlock()
	if isWatched {
		return nil, ErrRunning
	}
	// Before it is there: all that descend from this process, and it alone once it is known.
	allow(os.Getpid())
	if err := agent.command.Start(); err != nil {
		allow(0)
		return nil, fmt.Errorf("leakagent: %w", err)
	}
	allow(agent.command.Process.Pid)
	isWatched = true
	go agent.listen(output, options.handler())
	return agent, nil
}

// Done is closed when the agent has ended.
func (a *Agent) Done() <-chan struct{} {
	return a.done
}

// Err is why the agent has ended by itself: what it said last. Nil as long as it runs, and after Stop.
func (a *Agent) Err() error {
	select {
	case <-a.done:
		return a.err
	default:
		return nil
	}
}

// Stop ends the agent, and waits until it has. Where there is none it does nothing.
func (a *Agent) Stop() {
	if a == nil {
		return
	}
	a.stop.Do(func() { a.command.Process.Signal(os.Interrupt) })
	<-a.done
}

func (a *Agent) listen(output io.Reader, handle func(Event)) {
	defer close(a.done)
	lines := json.NewDecoder(output)
	var broken error
	for {
		var line struct {
			Events []Event `json:"events"`
		}
		if broken = lines.Decode(&line); broken != nil {
			break
		}
		for _, event := range line.Events {
			handle(event)
		}
	}
	// An agent that dies may leave a line unfinished. What is no JSON is no agent: it must not wait for someone to
	// read on.
	isOver := errors.Is(broken, io.EOF) || errors.Is(broken, io.ErrUnexpectedEOF)
	if !isOver {
		a.command.Process.Kill()
	}
	ended := a.command.Wait()
	watching.Lock()
	allow(0)
	isWatched = false
	watching.Unlock()
	stopped := false
	a.stop.Do(func() { stopped = true })
	switch {
	case !stopped:
		// By Stop.
	case !isOver:
		a.err = fmt.Errorf("leakagent: what the agent wrote: %w", broken)
	case ended != nil:
		a.err = fmt.Errorf("leakagent: %w: %s", ended, strings.TrimSpace(a.said.String()))
	}
}

// environment is the program's own without OpenTelemetry's variables: they say where the program sends what it has to tell,
// and the agent would send there too.
func environment() []string {
	kept := []string{}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "OTEL_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

func (options Options) handler() func(Event) {
	if options.OnEvent != nil {
		return options.OnEvent
	}
	logger := options.Logger
	if logger == nil {
		logger = slog.Default()
	}
	return func(event Event) {
		finding := event.Finding
		attributes := []any{
			"event", event.Kind,
			"id", finding.ID,
			"class", finding.Class,
			"verdict", finding.Verdict,
			"severity", finding.Severity,
			"count", finding.Count,
		}
		if finding.At != nil {
			attributes = append(attributes, "function", finding.At.Function, "at", finding.At.String())
		}
		if finding.Cause != "" {
			attributes = append(attributes, "cause", finding.Cause)
		}
		if event.Kind != "ended" && finding.Verdict != "suspect" {
			logger.Warn("leak", attributes...)
		} else {
			logger.Info("leak", attributes...)
		}
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mutex sync.Mutex
	text  []byte
}

// maxTail is how much of it.
const maxTail = 4096

func (t *tail) Write(text []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.text = append(t.text, text...)
	if extra := len(t.text) - maxTail; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(text), nil
}

func (t *tail) String() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return string(t.text)
}
