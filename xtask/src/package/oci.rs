//! An image for containers, by the OCI image specification 1.0, built without a container engine: the static program and
//! nothing else, for each architecture.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Making, archive};
use crate::shell;
use crate::vm::Arch;

/// What an image for one architecture is made of.
pub struct Image {
    arch: Arch,
    /// The layer's digest, packed and unpacked, and its packed size.
    layer: Blob,
    unpacked: String,
}

/// A file of the image, by its digest.
struct Blob {
    digest: String,
    size: u64,
}

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Packs the one layer of an image.
pub fn layer(making: &Making<'_>, binary: &Path, arch: Arch) -> Result<Image> {
    let root = making.project.target().join("stage").join(format!("{}-oci", arch.name()));
    let _ = fs::remove_dir_all(&root);
    let program = root.join("root/usr/bin/leak-agent");
    fs::create_dir_all(program.parent().context("it lies in a folder")?)?;
    fs::copy(binary, &program)?;
    // Where state and files go that nobody gave another place.
    fs::create_dir_all(root.join("root/tmp"))?;
    let tar = root.join("layer.tar");
    archive::pack(making, &root.join("root"), &tar, &["."])?;
    let unpacked = sha256(&tar)?;
    shell::run(shell::command("gzip").args(["-9n"]).arg(&tar))?;
    let layer = keep(making, &root.join("layer.tar.gz"))?;
    Ok(Image { arch, layer, unpacked })
}

/// Makes `leak-agent-VERSION-oci.tar`, which `podman load`, `skopeo copy oci-archive:` and `ctr image import` take.
pub fn make(making: &Making<'_>, images: &[Image]) -> Result<()> {
    let folder = blobs(making);
    let layout = folder.parent().and_then(Path::parent).context("it lies in a folder")?;
    let mut manifests = Vec::new();
    for Image { arch, layer, unpacked } in images {
        let arch = arch.name();
        let created = making.time()?;
        let config = write(
            making,
            &format!(
                "{{\"created\":\"{}\",\"architecture\":\"{arch}\",\"os\":\"linux\",\"config\":{{\"Entrypoint\":[\"/usr/bin/leak-agent\"],\
                 \"Cmd\":[\"daemon\"],\"Labels\":{{\"org.opencontainers.image.title\":\"leak-agent\",\
                 \"org.opencontainers.image.version\":\"{}\",\"org.opencontainers.image.licenses\":\"MIT OR Apache-2.0\"}}}},\
                 \"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"sha256:{unpacked}\"]}}}}",
                created, making.version
            ),
        )?;
        let manifest = write(
            making,
            &format!(
                "{{\"schemaVersion\":2,\"mediaType\":\"{MANIFEST}\",\"config\":{},\"layers\":[{}]}}",
                descriptor(CONFIG, &config, ""),
                descriptor(LAYER, layer, "")
            ),
        )?;
        let platform = format!(",\"platform\":{{\"architecture\":\"{arch}\",\"os\":\"linux\"}}");
        manifests.push(descriptor(MANIFEST, &manifest, &platform));
    }
    let list = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[{}]}}",
        manifests.join(",")
    );
    let list = write(making, &list)?;
    let name = format!(
        ",\"annotations\":{{\"org.opencontainers.image.ref.name\":\"leak-agent:{0}\"}}",
        making.version
    );
    let index = descriptor("application/vnd.oci.image.index.v1+json", &list, &name);
    fs::write(
        layout.join("index.json"),
        format!("{{\"schemaVersion\":2,\"manifests\":[{index}]}}"),
    )?;
    fs::write(layout.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}")?;
    let tar = making.folder.join(format!("leak-agent-{}-oci.tar", making.version));
    archive::pack(making, layout, &tar, &["oci-layout", "index.json", "blobs"])?;
    fs::remove_dir_all(layout)?;
    Ok(())
}

fn blobs(making: &Making<'_>) -> std::path::PathBuf {
    making.folder.join("oci/blobs/sha256")
}

fn descriptor(kind: &str, blob: &Blob, more: &str) -> String {
    let Blob { digest, size } = blob;
    format!("{{\"mediaType\":\"{kind}\",\"digest\":\"sha256:{digest}\",\"size\":{size}{more}}}")
}

fn write(making: &Making<'_>, text: &str) -> Result<Blob> {
    let file = making.folder.join("blob");
    fs::write(&file, text)?;
    let blob = keep(making, &file)?;
    fs::remove_file(file)?;
    Ok(blob)
}

/// Puts a file among the image's, under its digest.
fn keep(making: &Making<'_>, file: &Path) -> Result<Blob> {
    let digest = sha256(file)?;
    let folder = blobs(making);
    fs::create_dir_all(&folder)?;
    let size = fs::copy(file, folder.join(&digest))?;
    Ok(Blob { digest, size })
}

fn sha256(file: &Path) -> Result<String> {
    let said = shell::output(shell::command("sha256sum").arg(file))?;
    Ok(said.split_whitespace().next().context("no digest")?.to_owned())
}
