//! Why goroutines are ignored as idle, and why a group has no stack.

use crate::model::{Background, IdleReason, Ignored, NoStack};

/// Why goroutines are ignored, and which verdict that silences.
#[must_use]
pub fn ignored(ignored: &Ignored) -> String {
    let why = idle(&ignored.why);
    match ignored.silences {
        Some(verdict) => format!("{why}: silences a {} leak", verdict.name()),
        None => why.to_owned(),
    }
}

/// Why goroutines are idle on purpose, or known.
#[must_use]
pub fn idle(reason: &IdleReason) -> &str {
    match reason {
        IdleReason::Listed(reason) => reason.as_deref().unwrap_or("on the list of safe functions"),
        IdleReason::Baseline => "in the baseline",
        IdleReason::Background(what) => background(*what),
        IdleReason::Iterator => "iterator between two calls of next",
        IdleReason::KeepAlive => "keep-alive connection",
        IdleReason::Listener => "listener",
        IdleReason::Test => "waits for a test",
        IdleReason::Runtime => "the runtime's own",
        IdleReason::NeverCancelled => "waits for a context that is never cancelled",
        IdleReason::Main => "the main goroutine",
        IdleReason::StandardLibrary => "the standard library's own",
        IdleReason::ProfileWriter => "writes the profile that was read",
        IdleReason::Signals => "waits for signals",
        IdleReason::TimerLoop => "loop that a timer wakes",
        IdleReason::Pool => "worker pool or broadcast, all on one object",
        IdleReason::Worker => "worker that waits for work",
        IdleReason::ProgramEnd => "waits for the end of the program",
        IdleReason::CreatorThere => "its creator is still there, and its source is not known",
        IdleReason::Served => "waits for goroutines that are still there",
    }
}

/// What a library's background goroutine does.
const fn background(what: Background) -> &'static str {
    match what {
        Background::HttpBackgroundRead => "watches an HTTP connection for its end",
        Background::HttpWriter => "writer of an HTTP client connection",
        Background::HttpIdle => "idle HTTP client connection",
        Background::Http2Server => "HTTP/2 connection",
        Background::Http2Client => "HTTP/2 client connection",
        Background::Signals => "waits for signals",
        Background::PoolOpener => "opens connections of a pool",
        Background::PoolCleaner => "closes idle connections of a pool",
        Background::CpuProfile => "writes a CPU profile",
        Background::ChildWatcher => "watches a child process",
        Background::ChildOutput => "copies the output of a child process",
        Background::GrpcTransport => "gRPC transport",
        Background::GrpcCallbacks => "gRPC callback queue",
        Background::GrpcResolver => "gRPC resolver",
        Background::GrpcBalancer => "gRPC balancer",
        Background::GrpcWorker => "gRPC worker",
        Background::GrpcConnection => "gRPC connection",
        Background::OpenCensus => "OpenCensus worker",
        Background::OtelExporter => "OpenTelemetry exporter",
        Background::OtelReader => "OpenTelemetry reader",
        Background::KlogFlush => "flushes klog",
        Background::GlogFlush => "flushes glog",
        Background::KubernetesLoop => "Kubernetes loop",
        Background::KubernetesClient => "Kubernetes client",
        Background::LogRotation => "rotates logs",
        Background::CacheCleaner => "cleans a cache",
        Background::Meters => "updates meters",
        Background::FileWatcher => "watches files",
        Background::CacheWorker => "cache worker",
        Background::Quic => "QUIC connection",
        Background::Etcd => "etcd client",
        Background::Nats => "NATS client connection",
        Background::Redis => "redis client",
        Background::PgxPool => "pgx connection pool",
        Background::Postgres => "PostgreSQL connection",
        Background::Mysql => "MySQL connection",
        Background::MongoDb => "MongoDB client",
        Background::Kafka => "Kafka client",
        Background::Amqp => "AMQP connection",
        Background::Cron => "runs jobs by the clock",
        Background::LevelDb => "LevelDB worker",
        Background::ZapFlush => "flushes zap",
    }
}

/// Why a group has no stack.
#[must_use]
pub const fn no_stack(why: NoStack) -> &'static str {
    match why {
        NoStack::Running => "running: its stack cannot be read without stopping it",
        NoStack::OfEarlierSample => "running: the stack is that of an earlier sample",
        NoStack::Torn => "it kept changing while it was read",
        NoStack::NotUnwound => "what was read could not be unwound",
    }
}
