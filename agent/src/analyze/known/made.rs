//! What libraries make that is to be closed, by the function that the program calls.

use std::sync::LazyLock;

use wildmatch::WildMatch;

use super::name;
use crate::model::{Advice, Made, function};

/// A function that makes something.
struct Maker {
    /// Its name; `*` stands for any text.
    function: &'static str,
    what: &'static str,
    close: Option<&'static str>,
    advice: Option<Advice>,
}

const fn maker(function: &'static str, what: &'static str, close: &'static str) -> Maker {
    Maker { function, what, close: Some(close), advice: None }
}

const fn advised(
    function: &'static str,
    what: &'static str,
    close: Option<&'static str>,
    advice: Advice,
) -> Maker {
    Maker { function, what, close, advice: Some(advice) }
}

/// The first that fits counts.
const LIST: &[Maker] = &[
    // The standard library.
    maker("net/http.(*Server).*", "http.Server", "Shutdown"),
    maker("net/http.ListenAndServe*", "http.Server", "Shutdown"),
    advised("net/http.*", "http.Transport", Some("CloseIdleConnections"), Advice::ShareTransport),
    maker("net.Listen*", "net.Listener", "Close"),
    maker("net/rpc.*", "rpc.Client", "Close"),
    advised("database/sql.Open*", "sql.DB", Some("Close"), Advice::OpenDatabaseOnce),
    maker("database/sql.(*DB).Begin*", "sql.Tx", "Rollback or Commit"),
    maker("database/sql.(*DB).Query*", "sql.Rows", "Close"),
    maker("database/sql.(*Tx).Query*", "sql.Rows", "Close"),
    maker("database/sql.(*Stmt).Query*", "sql.Rows", "Close"),
    maker("database/sql.*", "sql.DB", "Close"),
    advised("os/exec.*", "output pipe of a child process", None, Advice::WaitDelay),
    maker("iter.Pull*", "iterator of iter.Pull", "the stop function"),
    maker("os/signal.NotifyContext", "context of signal.NotifyContext", "the stop function"),
    maker("context.*", "context", "the cancel function"),
    // Modules.
    advised("google.golang.org/grpc.*", "grpc.ClientConn", Some("Close"), Advice::ShareClientConn),
    maker("go.opentelemetry.io/otel/sdk/trace.*", "trace.TracerProvider", "Shutdown"),
    maker("go.opentelemetry.io/otel/sdk/metric.*", "metric.MeterProvider", "Shutdown"),
    maker("go.opentelemetry.io/otel/sdk/log.*", "log.LoggerProvider", "Shutdown"),
    maker("go.mongodb.org/mongo-driver/*", "mongo.Client", "Disconnect"),
    advised("gorm.io/gorm.Open", "gorm.DB", Some("Close"), Advice::OpenGormOnce),
    maker("github.com/jackc/pgx/*pgxpool.*", "pgxpool.Pool", "Close"),
    maker("github.com/jackc/pgx/*", "pgx.Conn", "Close"),
    maker("github.com/redis/go-redis/*Subscribe", "redis.PubSub", "Close"),
    maker("github.com/go-redis/redis/*Subscribe", "redis.PubSub", "Close"),
    maker("github.com/redis/go-redis/*", "redis.Client", "Close"),
    maker("github.com/go-redis/redis/*", "redis.Client", "Close"),
    maker("github.com/nats-io/nats.go.*Subscribe*", "nats.Subscription", "Unsubscribe"),
    maker("github.com/nats-io/nats.go.*", "nats.Conn", "Close"),
    maker("github.com/segmentio/kafka-go.*NewReader", "kafka.Reader", "Close"),
    maker("github.com/segmentio/kafka-go.*", "kafka.Writer", "Close"),
    maker("github.com/IBM/sarama.*", "sarama client", "Close"),
    maker("github.com/Shopify/sarama.*", "sarama client", "Close"),
    maker("github.com/rabbitmq/amqp091-go.*", "amqp.Connection", "Close"),
    advised(
        "go.etcd.io/etcd/client/v3.*Watch",
        "watch of an etcd client",
        None,
        Advice::CancelWatch,
    ),
    maker("go.etcd.io/etcd/client/v3*", "clientv3.Client", "Close"),
    advised("gopkg.in/natefinch/lumberjack.v2.*", "lumberjack.Logger", None, Advice::KeepLogger),
    maker("github.com/fsnotify/fsnotify.*", "fsnotify.Watcher", "Close"),
    advised(
        "github.com/hashicorp/golang-lru/v2/expirable.*",
        "expirable.LRU",
        None,
        Advice::KeepCache,
    ),
    advised("github.com/patrickmn/go-cache.*", "cache of go-cache", None, Advice::KeepJanitor),
    maker("github.com/dgraph-io/ristretto*", "ristretto.Cache", "Close"),
    maker("github.com/robfig/cron*", "cron.Cron", "Stop"),
    maker("go.uber.org/zap*", "zapcore.BufferedWriteSyncer", "Stop"),
    maker("golang.org/x/crypto/ssh.*", "ssh.Client", "Close"),
    maker("github.com/pion/webrtc/*", "webrtc.PeerConnection", "Close"),
    advised("k8s.io/apimachinery/pkg/util/wait.*", "loop of package wait", None, Advice::EndLoop),
    advised("k8s.io/client-go/*", "informer or watch of client-go", None, Advice::EndInformer),
];

static MAKERS: LazyLock<Vec<WildMatch>> =
    LazyLock::new(|| LIST.iter().map(|maker| WildMatch::new(maker.function)).collect());

/// What a library's function makes. Of one that is not on the list, it is what the function is called after.
pub(in crate::analyze) fn made(function: &str) -> Made {
    let name = name(function);
    let known = LIST.iter().zip(MAKERS.iter()).find(|(_, pattern)| pattern.matches(&name));
    match known {
        Some((maker, _)) => {
            Made { what: maker.what.to_owned(), close: maker.close, advice: maker.advice }
        }
        None => Made { what: unknown(&name), close: None, advice: None },
    }
}

/// `rpc.Client` for `example.com/rpc.NewClient` and `example.com/rpc.(*Client).run`.
fn unknown(name: &str) -> String {
    let short = function::short(name);
    let package = function::package(short);
    let rest = short[package.len()..].trim_start_matches('.');
    if let Some((receiver, _)) = rest.strip_prefix("(*").and_then(|rest| rest.split_once(')')) {
        return format!("{package}.{receiver}");
    }
    let first = rest.split('.').next().unwrap_or_default();
    match ["New", "Open", "Dial", "Start"].iter().find_map(|verb| first.strip_prefix(verb)) {
        Some(kind) if kind.starts_with(char::is_uppercase) => format!("{package}.{kind}"),
        _ => format!("result of {package}.{first}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makers_are_known_by_name_or_say_what_they_make() {
        for (function, what, close) in [
            ("google.golang.org/grpc.NewClient", "grpc.ClientConn", Some("Close")),
            (
                "go.opentelemetry.io/otel/sdk/trace.WithBatcher",
                "trace.TracerProvider",
                Some("Shutdown"),
            ),
            ("go.mongodb.org/mongo-driver/mongo.Connect", "mongo.Client", Some("Disconnect")),
            ("gopkg.in/natefinch/lumberjack%2ev2.(*Logger).Write", "lumberjack.Logger", None),
            ("github.com/redis/go-redis/v9.(*Client).Subscribe", "redis.PubSub", Some("Close")),
            ("database/sql.(*DB).QueryContext", "sql.Rows", Some("Close")),
            ("database/sql.Open", "sql.DB", Some("Close")),
            ("example.com/rpc.NewClient", "rpc.Client", None),
            ("example.com/rpc.(*Pool).start", "rpc.Pool", None),
            ("example.com/rpc.Dial", "result of rpc.Dial", None),
        ] {
            let made = made(function);
            assert_eq!((made.what.as_str(), made.close), (what, close), "{function}");
        }
    }
}
