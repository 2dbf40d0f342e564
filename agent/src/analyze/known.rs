//! Background goroutines that every Go engineer knows: idle on purpose, each with its reason.

use crate::model::WaitClass;

/// A known background goroutine.
struct Known {
    /// A function on its stack; a final `*` stands for any end.
    function: &'static str,
    /// The wait in which it is idle; any when `None`.
    wait: Option<WaitClass>,
    /// What it is.
    reason: &'static str,
}

const fn known(function: &'static str, reason: &'static str) -> Known {
    Known { function, wait: None, reason }
}

const fn waiting(function: &'static str, wait: WaitClass, reason: &'static str) -> Known {
    Known { function, wait: Some(wait), reason }
}

/// By what stands on the stack, innermost function first in the search.
const LIST: &[Known] = &[
    // The standard library (Go 1.21 to 1.27).
    waiting("internal/poll.(*FD).Accept", WaitClass::IoWait, "listener"),
    known("net/http.(*connReader).backgroundRead", "watches an HTTP connection for its end"),
    known("net/http.(*persistConn).writeLoop", "writer of an HTTP client connection"),
    waiting("net/http.(*persistConn).readLoop", WaitClass::IoWait, "idle HTTP client connection"),
    known("net/http.(*http2serverConn).serve", "HTTP/2 connection"),
    known("net/http.(*http2serverConn).readFrames", "HTTP/2 connection"),
    known("net/http.(*http2clientConnReadLoop).run", "HTTP/2 client connection"),
    known("net/http/internal/http2.*", "HTTP/2 connection"),
    known("os/signal.loop", "waits for signals"),
    known("os/signal.signal_recv", "waits for signals"),
    known("os/signal.NotifyContext.func1", "waits for signals"),
    known("database/sql.(*DB).connectionOpener", "opens connections of a pool"),
    known("database/sql.(*DB).connectionCleaner", "closes idle connections of a pool"),
    known("database/sql.(*DB).connectionResetter", "resets connections of a pool"),
    known("runtime/pprof.profileWriter", "writes a CPU profile"),
    known("os/exec.(*Cmd).Wait", "waits for a child process"),
    known("os/exec.(*Cmd).watchCtx.func1", "watches a child process"),
    known("os/exec.(*Cmd).Start.func*", "copies the output of a child process"),
    known("testing.(*T).Run", "waits for a test"),
    known("testing.runTests", "waits for tests"),
    known("testing.(*F).Fuzz", "waits for a fuzz test"),
    known("testing.tRunner.func1", "waits for a test"),
    // Modules that most servers have.
    known("golang.org/x/net/http2.(*serverConn).serve", "HTTP/2 connection"),
    known("golang.org/x/net/http2.(*serverConn).readFrames", "HTTP/2 connection"),
    known("golang.org/x/net/http2.(*clientConnReadLoop).run", "HTTP/2 client connection"),
    known("google.golang.org/grpc/internal/transport.*", "gRPC transport"),
    known("google.golang.org/grpc/internal/grpcsync.*", "gRPC callback queue"),
    known("google.golang.org/grpc.(*ccBalancerWrapper).*", "gRPC balancer"),
    known("google.golang.org/grpc.(*Server).serverWorker", "gRPC worker"),
    known("google.golang.org/grpc.(*addrConn).*", "gRPC connection"),
    known("go.opencensus.io/stats/view.(*worker).start", "OpenCensus worker"),
    known("go.opentelemetry.io/otel/sdk/trace.(*batchSpanProcessor).*", "OpenTelemetry exporter"),
    known("go.opentelemetry.io/otel/sdk/metric.(*PeriodicReader).run", "OpenTelemetry reader"),
    known("go.opentelemetry.io/otel/sdk/log.*", "OpenTelemetry exporter"),
    known("k8s.io/klog.(*loggingT).flushDaemon", "flushes klog"),
    known("k8s.io/klog/v2.(*flushDaemon).run*", "flushes klog"),
    known("k8s.io/klog/v2.(*loggingT).flushDaemon", "flushes klog"),
    known("github.com/golang/glog.(*fileSink).flushDaemon", "flushes glog"),
    known("github.com/golang/glog.(*loggingT).flushDaemon", "flushes glog"),
    known("k8s.io/apimachinery/pkg/util/wait.*", "Kubernetes loop"),
    known("k8s.io/client-go/util/workqueue.*", "Kubernetes work queue"),
    known("gopkg.in/natefinch/lumberjack.v2.(*Logger).millRun", "rotates logs"),
    known("github.com/patrickmn/go-cache.(*janitor).Run", "cleans a cache"),
    known("github.com/rcrowley/go-metrics.(*meterArbiter).tick", "updates meters"),
    known("github.com/fsnotify/fsnotify.*", "watches files"),
    known("github.com/dgraph-io/ristretto*", "cache worker"),
    known("github.com/quic-go/quic-go.(*Transport).listen", "QUIC listener"),
    known("github.com/hashicorp/golang-lru/v2/expirable.*", "cleans a cache"),
    known("go.etcd.io/etcd/client/v3.*", "etcd client"),
    known("github.com/nats-io/nats.go.(*Conn).*", "NATS client connection"),
    known("github.com/go-redis/redis/*.(*ConnPool).*", "connection pool"),
    known("github.com/jackc/pgx*", "connection pool"),
    known("github.com/syndtr/goleveldb/leveldb.*", "LevelDB worker"),
    known("go.uber.org/zap/zapcore.(*BufferedWriteSyncer).flushLoop", "flushes zap"),
];

/// Why a goroutine with these functions on its stack is idle on purpose, if it is a known one.
pub(super) fn reason<'a>(
    functions: impl Iterator<Item = &'a str>,
    wait: WaitClass,
) -> Option<&'static str> {
    let found = functions.filter_map(|function| {
        LIST.iter().find(|known| {
            known.wait.is_none_or(|known| known == wait) && is(known.function, function)
        })
    });
    let mut found = found.map(|known| known.reason);
    found.next()
}

fn is(pattern: &str, function: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => function.starts_with(start),
        None => function == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_one_is_known_in_its_wait_alone() {
        let read_loop = ["net/http.(*persistConn).readLoop"];
        assert!(reason(read_loop.into_iter(), WaitClass::IoWait).is_some());
        assert!(reason(read_loop.into_iter(), WaitClass::Select).is_none());
        let flush = ["k8s.io/klog/v2.(*flushDaemon).run.func1"];
        assert!(reason(flush.into_iter(), WaitClass::Select).is_some());
        assert!(reason(["main.loop"].into_iter(), WaitClass::Select).is_none());
    }
}
