//! How each server is configured: small, on loopback, with its profiles to be read.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use super::Kind;

/// Where a server is to live and listen.
pub(super) struct Place<'a> {
    pub(super) folder: &'a Path,
    pub(super) address: &'a str,
    pub(super) profile: &'a str,
}

/// Writes a server's configuration, and has the command name it. `behind` is one more address, for
/// a server behind the server.
pub(super) fn configure(
    kind: Kind,
    place: &Place<'_>,
    behind: &str,
    command: &mut Command,
) -> Result<()> {
    let Place { folder, address, profile } = place;
    let port = |address: &str| -> Result<String> {
        Ok(address.rsplit_once(':').context("an address without a port")?.1.to_owned())
    };
    match kind {
        Kind::Nats => {
            command.args(["--addr", "127.0.0.1", "--port", &port(address)?]);
            command.args(["--profile", &port(profile)?]);
            command.arg("--jetstream").arg("--store_dir").arg(folder);
        }
        Kind::Caddy => {
            let handle = |handler: serde_json::Value| json!([{ "handle": [handler] }]);
            let proxy = json!({ "handler": "reverse_proxy", "upstreams": [{ "dial": behind }] });
            let answer = json!({ "handler": "static_response", "body": "hello" });
            let config = json!({
                "admin": { "listen": profile, "config": { "persist": false } },
                "apps": { "http": { "servers": {
                    "front": { "listen": [address], "routes": handle(proxy) },
                    "behind": { "listen": [behind], "routes": handle(answer) },
                } } },
            });
            let file = folder.join("caddy.json");
            fs::write(&file, config.to_string())?;
            command.arg("run").arg("--config").arg(file);
        }
        Kind::Coredns => {
            // Idle clients are otherwise sent away after ten seconds.
            let patience = "timeouts {\n read 10m\n idle 10m\n }";
            let zone = "template IN A {\n answer \"{{ .Name }} 60 IN A 127.0.0.1\"\n }";
            let file = folder.join("Corefile");
            let port = port(address)?;
            fs::write(
                &file,
                format!(
                    ".:{port} {{\n bind 127.0.0.1\n pprof {profile}\n cache\n errors\n {patience}\n {zone}\n}}\n"
                ),
            )?;
            command.arg("-conf").arg(file);
        }
        Kind::NodeExporter => {
            // It turns away who comes while forty others are served.
            command.arg(format!("--web.listen-address={address}")).arg("--web.max-requests=0");
        }
    }
    Ok(())
}
