//! Lists the files of the built client (`client/dist`), so that a release carries them inside. Other builds read the folder while
//! they run: whoever works on the client then need not build the server anew.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let dist = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../client/dist");
    let mut files = BTreeMap::new();
    let mut folder = Some(dist.clone());
    if std::env::var("PROFILE")? == "release" {
        println!("cargo::rerun-if-changed={}", dist.display());
        if dist.is_dir() {
            collect(&dist, "", &mut files)?;
        }
        folder = None;
    }
    let mut code = format!("pub(super) const FOLDER: Option<&str> = {folder:?};\n");
    code.push_str("pub(super) static FILES: &[EmbeddedFile] = &[\n");
    for (path, file) in files {
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

/// All files below the folder by their paths, in the order in which they are looked up. Hidden ones are for the tools that
/// build the client.
fn collect(folder: &Path, prefix: &str, found: &mut BTreeMap<String, PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().ok_or("a name that is not UTF-8")?;
        if name.starts_with('.') {
            continue;
        }
        match entry.file_type()? {
            kind if kind.is_dir() => collect(&entry.path(), &format!("{prefix}{name}/"), found)?,
            kind if kind.is_file() => drop(found.insert(format!("{prefix}{name}"), entry.path())),
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
