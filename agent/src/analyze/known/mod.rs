//! What every Go engineer knows of libraries: their background goroutines, and what is to be closed.
//!
//! A list explains, it never silences: background goroutines are idle only as long as they do not grow.

mod made;

use std::sync::LazyLock;

use wildmatch::WildMatch;

use crate::model::{WaitClass, function};

pub(super) use made::{Made, made};

/// A known background goroutine.
struct Background {
    /// The function that it runs, the outermost on its stack; `*` stands for any text.
    entry: &'static str,
    /// The wait in which it is idle; any when `None`.
    wait: Option<WaitClass>,
    /// What it is.
    reason: &'static str,
}

const fn background(entry: &'static str, reason: &'static str) -> Background {
    Background { entry, wait: None, reason }
}

const fn waiting(entry: &'static str, wait: WaitClass, reason: &'static str) -> Background {
    Background { entry, wait: Some(wait), reason }
}

/// By the function that they run. The first that fits counts.
const LIST: &[Background] = &[
    // The standard library (Go 1.21 to 1.27).
    background("net/http.(*connReader).backgroundRead", "watches an HTTP connection for its end"),
    background("net/http.(*persistConn).writeLoop", "writer of an HTTP client connection"),
    waiting("net/http.(*persistConn).readLoop", WaitClass::IoWait, "idle HTTP client connection"),
    background("net/http.(*http2serverConn).readFrames", "HTTP/2 connection"),
    background("net/http.(*http2ClientConn).readLoop", "HTTP/2 client connection"),
    background("net/http/internal/http2.(*serverConn).readFrames", "HTTP/2 connection"),
    background("net/http/internal/http2.(*ClientConn).readLoop", "HTTP/2 client connection"),
    background("os/signal.loop", "waits for signals"),
    background("os/signal.NotifyContext.func*", "waits for signals"),
    background("database/sql.(*DB).connectionOpener", "opens connections of a pool"),
    background("database/sql.(*DB).connectionCleaner", "closes idle connections of a pool"),
    background("runtime/pprof.profileWriter", "writes a CPU profile"),
    background("os/exec.(*Cmd).watchCtx*", "watches a child process"),
    background("os/exec.(*Cmd).Start.func*", "copies the output of a child process"),
    // Modules that most servers have.
    background("golang.org/x/net/http2.(*serverConn).readFrames", "HTTP/2 connection"),
    background("golang.org/x/net/http2.(*ClientConn).readLoop", "HTTP/2 client connection"),
    background("google.golang.org/grpc/internal/transport.*", "gRPC transport"),
    background("google.golang.org/grpc/internal/grpcsync.*", "gRPC callback queue"),
    background("google.golang.org/grpc/internal/resolver/*", "gRPC resolver"),
    background("google.golang.org/grpc.(*ccBalancerWrapper).*", "gRPC balancer"),
    waiting("google.golang.org/grpc.(*Server).serverWorker", WaitClass::ChanReceive, "gRPC worker"),
    background("google.golang.org/grpc.(*addrConn).*", "gRPC connection"),
    background("go.opencensus.io/stats/view.(*worker).start", "OpenCensus worker"),
    background("go.opentelemetry.io/otel/sdk/trace.*", "OpenTelemetry exporter"),
    background("go.opentelemetry.io/otel/sdk/metric.*", "OpenTelemetry reader"),
    background("go.opentelemetry.io/otel/sdk/log.*", "OpenTelemetry exporter"),
    background("k8s.io/klog/v2.*flushDaemon*", "flushes klog"),
    background("k8s.io/klog.*flushDaemon*", "flushes klog"),
    background("github.com/golang/glog.*flushDaemon*", "flushes glog"),
    background("k8s.io/apimachinery/pkg/util/wait.*", "Kubernetes loop"),
    background("k8s.io/client-go/*", "Kubernetes client"),
    background("gopkg.in/natefinch/lumberjack.v2.(*Logger).millRun", "rotates logs"),
    background("github.com/patrickmn/go-cache.(*janitor).Run", "cleans a cache"),
    background("github.com/rcrowley/go-metrics.(*meterArbiter).tick", "updates meters"),
    background("github.com/fsnotify/fsnotify.*", "watches files"),
    background("github.com/dgraph-io/ristretto*", "cache worker"),
    background("github.com/quic-go/quic-go.*", "QUIC connection"),
    background("github.com/hashicorp/golang-lru/v2/expirable.*", "cleans a cache"),
    background("go.etcd.io/etcd/client/v3*", "etcd client"),
    background("github.com/nats-io/nats.go.*", "NATS client connection"),
    background("github.com/redis/go-redis/*", "redis client"),
    background("github.com/go-redis/redis/*", "redis client"),
    background("github.com/jackc/pgx/*", "pgx connection pool"),
    background("github.com/jackc/puddle/*", "pgx connection pool"),
    background("github.com/lib/pq.*", "PostgreSQL connection"),
    background("github.com/go-sql-driver/mysql.*", "MySQL connection"),
    background("go.mongodb.org/mongo-driver/*", "MongoDB client"),
    background("github.com/segmentio/kafka-go.*", "Kafka client"),
    background("github.com/IBM/sarama.*", "Kafka client"),
    background("github.com/Shopify/sarama.*", "Kafka client"),
    background("github.com/rabbitmq/amqp091-go.*", "AMQP connection"),
    background("github.com/robfig/cron/*", "runs jobs by the clock"),
    background("github.com/syndtr/goleveldb/leveldb*", "LevelDB worker"),
    background("go.uber.org/zap/zapcore.(*BufferedWriteSyncer).flushLoop", "flushes zap"),
];

static ENTRIES: LazyLock<Vec<WildMatch>> =
    LazyLock::new(|| LIST.iter().map(|known| WildMatch::new(known.entry)).collect());

/// Why a goroutine that runs this function is idle on purpose, if it is a known one.
pub(super) fn reason(entry: &str, wait: WaitClass) -> Option<&'static str> {
    let entry = name(entry);
    let fits = |(known, pattern): &(&Background, &WildMatch)| {
        known.wait.is_none_or(|known| known == wait) && pattern.matches(&entry)
    };
    LIST.iter().zip(ENTRIES.iter()).find(fits).map(|(known, _)| known.reason)
}

/// A function's name as its source has it: without instances, and with the dots in the last element of its
/// import path, which symbols spell `%2e`.
fn name(function: &str) -> String {
    function::normalise(function).replace("%2e", ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What real goroutines of these libraries run.
    const REAL: &str = include_str!("real.txt");

    #[test]
    fn each_entry_is_the_one_of_a_real_goroutine() {
        let mut seen = vec![false; LIST.len()];
        for line in REAL.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let entry = name(line);
            let at = ENTRIES.iter().position(|pattern| pattern.matches(&entry));
            seen[at.unwrap_or_else(|| panic!("nothing in the list is {line}"))] = true;
        }
        let unseen: Vec<&str> =
            LIST.iter().zip(seen).filter(|(_, seen)| !seen).map(|(known, _)| known.entry).collect();
        assert!(unseen.is_empty(), "no real goroutine runs these: {unseen:#?}");
    }

    #[test]
    fn a_known_one_is_known_in_its_wait_alone() {
        let read_loop = "net/http.(*persistConn).readLoop";
        assert!(reason(read_loop, WaitClass::IoWait).is_some());
        assert!(reason(read_loop, WaitClass::Select).is_none());
        assert!(reason("k8s.io/klog/v2.(*flushDaemon).run.func1", WaitClass::Select).is_some());
        assert!(reason("main.loop", WaitClass::Select).is_none());
    }

    #[test]
    fn symbols_escape_the_dots_of_an_import_paths_last_element() {
        let rotates = "gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun";
        assert_eq!(reason(rotates, WaitClass::ChanReceive), Some("rotates logs"));
        let queue = "github.com/redis/go-redis/v9/internal/pool.(*ConnPool).asyncNewIdleConn.func1";
        assert_eq!(reason(queue, WaitClass::Select), Some("redis client"));
    }
}
