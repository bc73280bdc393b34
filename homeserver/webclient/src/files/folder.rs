//! The files of a folder, read whenever they are asked for: a new client is there as soon as it lies there.

use std::{
    fs::{File, Metadata},
    io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use super::{Content, Found};
use crate::negotiation::Encoding;

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub async fn find(&self, name: &str, encodings: &[Encoding]) -> io::Result<Option<Found>> {
        let (folder, name, encodings) = (self.path.clone(), name.to_owned(), encodings.to_vec());
        let finding = tokio::task::spawn_blocking(move || find(&folder, &name, &encodings));
        finding.await.map_err(io::Error::other)?
    }
}

fn find(folder: &Path, name: &str, encodings: &[Encoding]) -> io::Result<Option<Found>> {
    let Some((plain, about)) = open(folder, name)? else {
        return Ok(None);
    };
    for encoding in encodings {
        let packed = open(folder, &format!("{name}{}", encoding.suffix()))?;
        // A copy from before the file's last change holds something else.
        if let Some((packed, about_packed)) = packed
            && about_packed.modified()? >= about.modified()?
        {
            return found(packed, &about_packed, Some(*encoding)).map(Some);
        }
    }
    found(plain, &about, None).map(Some)
}

/// Opens a file of the folder. What a link leads to must be inside as well; the folder itself may be a link, which is
/// followed anew each time, so that clients can be exchanged by it.
fn open(folder: &Path, name: &str) -> io::Result<Option<(File, Metadata)>> {
    let opening = || -> io::Result<_> {
        let folder = folder.canonicalize()?;
        let path = folder.join(name).canonicalize()?;
        if !path.starts_with(&folder) || !path.metadata()?.is_file() {
            return Ok(None);
        }
        let file = File::open(&path)?;
        let about = file.metadata()?;
        Ok(Some((file, about)))
    };
    match opening() {
        Err(error) if is_absence(&error) => Ok(None),
        opened => opened,
    }
}

/// Whether it only says that there is no such file.
fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    matches!(
        error.kind(),
        NotFound | NotADirectory | InvalidFilename | InvalidInput
    )
}

fn found(file: File, about: &Metadata, encoding: Option<Encoding>) -> io::Result<Found> {
    let modified = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let packed = encoding.map_or("", Encoding::suffix);
    Ok(Found {
        encoding,
        etag: format!("\"{:x}-{:x}{packed}\"", modified.as_nanos(), about.len()),
        length: about.len(),
        content: Content::File(tokio::fs::File::from_std(file)),
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn text(folder: &Path, name: &str, encodings: &[Encoding]) -> Option<String> {
        let found = find(folder, name, encodings).unwrap()?;
        match found.content {
            Content::Bytes(_) => None,
            Content::File(file) => {
                let mut file = file.try_into_std().unwrap();
                Some(io::read_to_string(&mut file).unwrap())
            }
        }
    }

    fn written(path: &Path, text: &str, age_seconds: u64) {
        std::fs::write(path, text).unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - age_seconds);
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(modified)
            .unwrap();
    }

    #[test]
    fn a_packed_copy_is_used_unless_it_is_older() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        written(&folder.join("a.js"), "plain", 10);
        written(&folder.join("a.js.gz"), "gzip", 10);
        written(&folder.join("a.js.br"), "of an older one", 20);
        let both = [Encoding::Brotli, Encoding::Gzip];
        assert_eq!(text(folder, "a.js", &both).as_deref(), Some("gzip"));
        assert_eq!(
            text(folder, "a.js", &[Encoding::Brotli]).as_deref(),
            Some("plain")
        );
        assert_eq!(text(folder, "b.js", &both), None);
        written(&folder.join("c.js.br"), "a copy of nothing", 10);
        assert_eq!(text(folder, "c.js", &both), None);
    }

    #[test]
    fn tags_change_with_the_file_and_its_encoding() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let tag = |encodings: &[Encoding]| find(folder, "a.js", encodings).unwrap().unwrap().etag;
        written(&folder.join("a.js"), "same", 10);
        written(&folder.join("a.js.gz"), "same", 10);
        let (first, packed) = (tag(&[]), tag(&[Encoding::Gzip]));
        assert_ne!(first, packed);
        written(&folder.join("a.js"), "SAME", 9);
        assert_ne!(first, tag(&[]));
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_nowhere_outside() {
        use std::os::unix::fs::symlink;
        let parent = tempfile::tempdir().unwrap();
        let (folder, outside) = (parent.path().join("client"), parent.path().join("outside"));
        std::fs::create_dir_all(folder.join("assets")).unwrap();
        std::fs::create_dir_all(&outside).unwrap();
        written(&outside.join("secret"), "secret", 0);
        written(&folder.join("real.js"), "real", 0);
        symlink(outside.join("secret"), folder.join("file")).unwrap();
        symlink(&outside, folder.join("folder")).unwrap();
        symlink(folder.join("real.js"), folder.join("assets/inside.js")).unwrap();
        assert_eq!(text(&folder, "file", &[]), None);
        assert_eq!(text(&folder, "folder/secret", &[]), None);
        assert_eq!(text(&folder, "assets", &[]), None);
        assert_eq!(text(&folder, "assets/inside.js", &[]).as_deref(), Some("real"));
        // The folder itself may be one.
        symlink(&folder, parent.path().join("current")).unwrap();
        assert_eq!(
            text(&parent.path().join("current"), "real.js", &[]).as_deref(),
            Some("real")
        );
    }

    #[test]
    fn names_that_no_file_can_have_are_not_found() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["x".repeat(300), "a/".repeat(3_000), "a\0b".to_owned()] {
            assert_eq!(text(folder.path(), &name, &[]), None);
        }
        assert_eq!(text(&folder.path().join("nowhere"), "a.js", &[]), None);
    }
}
