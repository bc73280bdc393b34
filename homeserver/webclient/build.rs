//! Lists the files of the built client (`client/dist`), so that a release carries them inside. Other builds read the folder while
//! they run: whoever works on the client then need not build the server anew.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let dist = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../client/dist");
    let mut files = Vec::new();
    let mut folder = Some(dist.clone());
    if std::env::var("PROFILE")? == "release" {
        println!("cargo::rerun-if-changed={}", dist.display());
        if dist.is_dir() {
            collect(&dist, &mut files)?;
        }
        folder = None;
    }
    // In the order of their paths, by which they are looked up.
    files.sort();
    let mut code = format!("pub(super) const FOLDER: Option<&str> = {folder:?};\n");
    code.push_str("pub(super) static FILES: &[EmbeddedFile] = &[\n");
    for file in files {
        let path = file
            .strip_prefix(&dist)?
            .to_str()
            .ok_or("a path that is not UTF-8")?;
        let etag = etag(&fs::read(&file)?);
        let file = fs::canonicalize(&file)?;
        writeln!(
            code,
            "    EmbeddedFile {{ path: {path:?}, etag: {etag:?}, bytes: include_bytes!({file:?}) }},"
        )?;
    }
    code.push_str("];\n");
    fs::write(Path::new(&std::env::var("OUT_DIR")?).join("files.rs"), code)?;
    Ok(())
}

/// All files below the folder, without hidden ones: those are for the tools that build the client.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        match entry.file_type()? {
            kind if kind.is_dir() => collect(&entry.path(), found)?,
            kind if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    Ok(())
}

/// Need only differ where the bytes do.
fn etag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}-{:x}\"", hasher.finish(), bytes.len())
}
