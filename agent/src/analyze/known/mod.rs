//! What every Go engineer knows of libraries: their background goroutines, and what is to be closed.
//!
//! A list explains, it never silences: background goroutines are idle only as long as they do not grow.

mod made;

use std::sync::LazyLock;

use wildmatch::WildMatch;

use crate::model::{Background, WaitClass, function};

pub(super) use made::made;

/// A known background goroutine.
struct Entry {
    /// The function that it runs, the outermost on its stack; `*` stands for any text.
    entry: &'static str,
    /// The wait in which it is idle; any when `None`.
    wait: Option<WaitClass>,
    /// What it is.
    what: Background,
}

const fn background(entry: &'static str, what: Background) -> Entry {
    Entry { entry, wait: None, what }
}

const fn waiting(entry: &'static str, wait: WaitClass, what: Background) -> Entry {
    Entry { entry, wait: Some(wait), what }
}

/// By the function that they run. The first that fits counts.
const LIST: &[Entry] = &[
    // The standard library (Go 1.21 to 1.27).
    background("net/http.(*connReader).backgroundRead", Background::HttpBackgroundRead),
    background("net/http.(*persistConn).writeLoop", Background::HttpWriter),
    waiting("net/http.(*persistConn).readLoop", WaitClass::IoWait, Background::HttpIdle),
    background("net/http.(*http2serverConn).readFrames", Background::Http2Server),
    background("net/http.(*http2ClientConn).readLoop", Background::Http2Client),
    background("net/http/internal/http2.(*serverConn).readFrames", Background::Http2Server),
    background("net/http/internal/http2.(*ClientConn).readLoop", Background::Http2Client),
    background("os/signal.loop", Background::Signals),
    background("os/signal.NotifyContext.func*", Background::Signals),
    background("database/sql.(*DB).connectionOpener", Background::PoolOpener),
    background("database/sql.(*DB).connectionCleaner", Background::PoolCleaner),
    background("runtime/pprof.profileWriter", Background::CpuProfile),
    background("os/exec.(*Cmd).watchCtx*", Background::ChildWatcher),
    background("os/exec.(*Cmd).Start.func*", Background::ChildOutput),
    // Modules that most servers have.
    background("golang.org/x/net/http2.(*serverConn).readFrames", Background::Http2Server),
    background("golang.org/x/net/http2.(*ClientConn).readLoop", Background::Http2Client),
    background("google.golang.org/grpc/internal/transport.*", Background::GrpcTransport),
    background("google.golang.org/grpc/internal/grpcsync.*", Background::GrpcCallbacks),
    background("google.golang.org/grpc/internal/resolver/*", Background::GrpcResolver),
    background("google.golang.org/grpc.(*ccBalancerWrapper).*", Background::GrpcBalancer),
    waiting(
        "google.golang.org/grpc.(*Server).serverWorker",
        WaitClass::ChanReceive,
        Background::GrpcWorker,
    ),
    background("google.golang.org/grpc.(*addrConn).*", Background::GrpcConnection),
    background("go.opencensus.io/stats/view.(*worker).start", Background::OpenCensus),
    background("go.opentelemetry.io/otel/sdk/trace.*", Background::OtelExporter),
    background("go.opentelemetry.io/otel/sdk/metric.*", Background::OtelReader),
    background("go.opentelemetry.io/otel/sdk/log.*", Background::OtelExporter),
    background("k8s.io/klog/v2.*flushDaemon*", Background::KlogFlush),
    background("k8s.io/klog.*flushDaemon*", Background::KlogFlush),
    background("github.com/golang/glog.*flushDaemon*", Background::GlogFlush),
    background("k8s.io/apimachinery/pkg/util/wait.*", Background::KubernetesLoop),
    background("k8s.io/client-go/*", Background::KubernetesClient),
    background("gopkg.in/natefinch/lumberjack.v2.(*Logger).millRun", Background::LogRotation),
    background("github.com/patrickmn/go-cache.(*janitor).Run", Background::CacheCleaner),
    background("github.com/rcrowley/go-metrics.(*meterArbiter).tick", Background::Meters),
    background("github.com/fsnotify/fsnotify.*", Background::FileWatcher),
    background("github.com/dgraph-io/ristretto*", Background::CacheWorker),
    background("github.com/quic-go/quic-go.*", Background::Quic),
    background("github.com/hashicorp/golang-lru/v2/expirable.*", Background::CacheCleaner),
    background("go.etcd.io/etcd/client/v3*", Background::Etcd),
    background("github.com/nats-io/nats.go.*", Background::Nats),
    background("github.com/redis/go-redis/*", Background::Redis),
    background("github.com/go-redis/redis/*", Background::Redis),
    background("github.com/jackc/pgx/*", Background::PgxPool),
    background("github.com/jackc/puddle/*", Background::PgxPool),
    background("github.com/lib/pq.*", Background::Postgres),
    background("github.com/go-sql-driver/mysql.*", Background::Mysql),
    background("go.mongodb.org/mongo-driver/*", Background::MongoDb),
    background("github.com/segmentio/kafka-go.*", Background::Kafka),
    background("github.com/IBM/sarama.*", Background::Kafka),
    background("github.com/Shopify/sarama.*", Background::Kafka),
    background("github.com/rabbitmq/amqp091-go.*", Background::Amqp),
    background("github.com/robfig/cron/*", Background::Cron),
    background("github.com/syndtr/goleveldb/leveldb*", Background::LevelDb),
    background("go.uber.org/zap/zapcore.(*BufferedWriteSyncer).flushLoop", Background::ZapFlush),
];

static ENTRIES: LazyLock<Vec<WildMatch>> =
    LazyLock::new(|| LIST.iter().map(|known| WildMatch::new(known.entry)).collect());

/// What a goroutine that runs this function is, if it is a known one.
pub(super) fn background_of(entry: &str, wait: WaitClass) -> Option<Background> {
    let entry = name(entry);
    let fits = |(known, pattern): &(&Entry, &WildMatch)| {
        known.wait.is_none_or(|known| known == wait) && pattern.matches(&entry)
    };
    LIST.iter().zip(ENTRIES.iter()).find(fits).map(|(known, _)| known.what)
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
        assert!(background_of(read_loop, WaitClass::IoWait).is_some());
        assert!(background_of(read_loop, WaitClass::Select).is_none());
        assert!(
            background_of("k8s.io/klog/v2.(*flushDaemon).run.func1", WaitClass::Select).is_some()
        );
        assert!(background_of("main.loop", WaitClass::Select).is_none());
    }

    #[test]
    fn symbols_escape_the_dots_of_an_import_paths_last_element() {
        let rotates = "gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun";
        assert_eq!(background_of(rotates, WaitClass::ChanReceive), Some(Background::LogRotation));
        let queue = "github.com/redis/go-redis/v9/internal/pool.(*ConnPool).asyncNewIdleConn.func1";
        assert_eq!(background_of(queue, WaitClass::Select), Some(Background::Redis));
    }
}
