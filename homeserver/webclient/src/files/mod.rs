//! The client's files, wherever they are.

mod embedded;
mod folder;

use std::{io, path::PathBuf};

use axum::body::{Body, Bytes};
use tokio_util::io::ReaderStream;

use self::{embedded::EmbeddedFile, folder::Folder};
use crate::negotiation::Encoding;

/// The client's page is small: what is larger is something else.
const PAGE_BYTES_MAX: u64 = 1024 * 1024;
/// How much of a file is read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// A client's files.
#[derive(Debug)]
pub(crate) enum Files {
    /// Those inside the binary.
    Embedded(&'static [EmbeddedFile]),
    Folder(Folder),
}

/// A file that was found.
#[derive(Debug)]
pub(crate) struct Found {
    content: Content,
    /// How it is packed, if it is.
    pub encoding: Option<Encoding>,
    /// With its quotes.
    pub etag: String,
    pub length: u64,
}

#[derive(Debug)]
enum Content {
    Bytes(&'static [u8]),
    File(tokio::fs::File),
}

impl Files {
    /// The client that was built with this server. In builds that are no release it is looked up whenever it is asked for.
    pub fn built() -> Self {
        match embedded::FOLDER {
            Some(folder) => Self::folder(folder.into()),
            None => Self::Embedded(embedded::FILES),
        }
    }

    pub fn folder(path: PathBuf) -> Self {
        Self::Folder(Folder::new(path))
    }

    /// A file by its path in the client's folder, packed in the first of these encodings in which it is there.
    ///
    /// `name` is as [`crate::place::Place`] reads them.
    pub async fn find(&self, name: &str, encodings: &[Encoding]) -> io::Result<Option<Found>> {
        match self {
            Self::Embedded(files) => Ok(embedded::find(files, name, encodings)),
            Self::Folder(folder) => folder.find(name, encodings).await,
        }
    }

    /// The client's page as it was built; `None` without a client.
    pub async fn page(&self) -> io::Result<Option<String>> {
        match self.find("index.html", &[]).await? {
            Some(found) => found.into_text().await.map(Some),
            None => Ok(None),
        }
    }
}

impl Found {
    pub fn into_body(self) -> Body {
        match self.content {
            Content::Bytes(bytes) => Body::from(Bytes::from_static(bytes)),
            Content::File(file) => Body::from_stream(ReaderStream::with_capacity(file, CHUNK_BYTES)),
        }
    }

    async fn into_text(self) -> io::Result<String> {
        if self.length > PAGE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        match self.content {
            Content::Bytes(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
            Content::File(file) => {
                use tokio::io::AsyncReadExt as _;
                let mut text = String::new();
                file.take(PAGE_BYTES_MAX).read_to_string(&mut text).await?;
                Ok(text)
            }
        }
    }
}
