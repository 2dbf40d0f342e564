//! One signed request of the S3 protocol (AWS signature version 4), enough to open a bucket.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Who minio obeys, and by which password.
pub(super) const USER: &str = "tester";
pub(super) const PASSWORD: &str = "no-secret-at-all";

const REGION: &str = "us-east-1";
const SIGNED: &str = "host;x-amz-content-sha256;x-amz-date";

/// Puts a body to a path; the answer's status must be one of `wanted`.
pub(super) fn put(
    address: &str,
    path: &str,
    query: &str,
    body: &[u8],
    wanted: &[u16],
) -> Result<()> {
    let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &now[..8];
    let digest = hex(&Sha256::digest(body));
    let canonical = format!(
        "PUT\n{path}\n{query}\nhost:{address}\nx-amz-content-sha256:{digest}\nx-amz-date:{now}\n\n{SIGNED}\n{digest}"
    );
    let scope = format!("{day}/{REGION}/s3/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{now}\n{scope}\n{}", hex(&Sha256::digest(&canonical)));
    let mut key = format!("AWS4{PASSWORD}").into_bytes();
    for part in [day, REGION, "s3", "aws4_request"] {
        key = hmac(&key, part)?;
    }
    let signature = hex(&hmac(&key, &to_sign)?);

    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "PUT {path}?{query} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Length: {}\r\nx-amz-content-sha256: {digest}\r\nx-amz-date: {now}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={USER}/{scope}, SignedHeaders={SIGNED}, \
         Signature={signature}\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    ensure!(status.is_some_and(|it| wanted.contains(&it)), "PUT {path}?{query}: {line:?}");
    Ok(())
}

fn hmac(key: &[u8], text: &str) -> Result<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).context("no key for a signature")?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
