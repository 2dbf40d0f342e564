//! Why goroutines are in no finding, and why those that rise do not leak, as values that `report` words.

use super::finding::Verdict;

/// Why goroutines are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ignored {
    /// Why.
    pub why: IdleReason,
    /// The verdict that this silences, if it is at least likely; only the user's own lists and baseline do.
    pub silences: Option<Verdict>,
}

impl From<IdleReason> for Ignored {
    fn from(why: IdleReason) -> Self {
        Self { why, silences: None }
    }
}

/// Why goroutines are idle on purpose, or known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdleReason {
    /// On the user's own list, with the user's reason.
    Listed(Option<String>),
    /// As many were there before: in the user's baseline.
    Baseline,
    /// A library's background goroutine.
    Background(Background),
    /// A coroutine between two calls of `next`.
    Iterator,
    /// Waits for a request on a connection that a client keeps open.
    KeepAlive,
    /// Waits for a connection.
    Listener,
    /// Waits for a test.
    Test,
    /// The runtime's own.
    Runtime,
    /// Waits for a context that is never cancelled by design.
    NeverCancelled,
    /// The main goroutine.
    Main,
    /// The standard library's own.
    StandardLibrary,
    /// Writes the very profile that was read.
    ProfileWriter,
    /// Waits for signals of the operating system.
    Signals,
    /// A loop that a timer wakes.
    TimerLoop,
    /// A pool of workers or a broadcast, all on one object.
    Pool,
    /// A worker that waits for work.
    Worker,
    /// Waits for the end of the program.
    ProgramEnd,
    /// Its creator is still there, and its source is not known.
    CreatorThere,
    /// Waits for goroutines that are still there.
    Served,
}

/// A library's background goroutine, by what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Background {
    /// Watches an HTTP connection for its end.
    HttpBackgroundRead,
    /// The writer of an HTTP client connection.
    HttpWriter,
    /// An idle HTTP client connection.
    HttpIdle,
    /// An HTTP/2 connection of a server.
    Http2Server,
    /// An HTTP/2 client connection.
    Http2Client,
    /// Waits for signals.
    Signals,
    /// Opens connections of a pool.
    PoolOpener,
    /// Closes idle connections of a pool.
    PoolCleaner,
    /// Writes a CPU profile.
    CpuProfile,
    /// Watches a child process.
    ChildWatcher,
    /// Copies the output of a child process.
    ChildOutput,
    /// A gRPC transport.
    GrpcTransport,
    /// A gRPC callback queue.
    GrpcCallbacks,
    /// A gRPC resolver.
    GrpcResolver,
    /// A gRPC balancer.
    GrpcBalancer,
    /// A gRPC worker.
    GrpcWorker,
    /// A gRPC connection.
    GrpcConnection,
    /// An OpenCensus worker.
    OpenCensus,
    /// An OpenTelemetry exporter.
    OtelExporter,
    /// An OpenTelemetry reader.
    OtelReader,
    /// Flushes klog.
    KlogFlush,
    /// Flushes glog.
    GlogFlush,
    /// A Kubernetes loop.
    KubernetesLoop,
    /// A Kubernetes client.
    KubernetesClient,
    /// Rotates logs.
    LogRotation,
    /// Cleans a cache.
    CacheCleaner,
    /// Updates meters.
    Meters,
    /// Watches files.
    FileWatcher,
    /// A cache worker.
    CacheWorker,
    /// A QUIC connection.
    Quic,
    /// An etcd client.
    Etcd,
    /// A NATS client connection.
    Nats,
    /// A redis client.
    Redis,
    /// A pgx connection pool.
    PgxPool,
    /// A PostgreSQL connection.
    Postgres,
    /// A MySQL connection.
    Mysql,
    /// A MongoDB client.
    MongoDb,
    /// A Kafka client.
    Kafka,
    /// An AMQP connection.
    Amqp,
    /// Runs jobs by the clock.
    Cron,
    /// A LevelDB worker.
    LevelDb,
    /// Flushes zap.
    ZapFlush,
}

/// Why goroutines are in no finding and not ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotAnalysed {
    /// Nothing speaks of a leak.
    Unremarkable,
    /// Beside a finding, and no part of it.
    BesideFinding,
    /// In more findings than are listed.
    Unlisted,
    /// Filtered out by the user.
    Filtered,
}

/// Why growth is none of a leak's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLeak {
    /// Nothing speaks of a leak.
    Unremarkable,
    /// The source does not know goroutines apart.
    UnknownLives,
    /// The window is too short, or has too few samples.
    TooShort,
    /// Hardly any goroutine that was born in the window is left.
    Few,
    /// They end as others come.
    ComeAndGo,
    /// Their births lie in one part of the window.
    OneBurst,
    /// The oldest of those born in the window have ended.
    ShortLived,
    /// Births have stopped.
    Stopped,
    /// Births had stopped before a burst at the window's end.
    LateBurst,
}
