//! The content repository: uploads, downloads, thumbnails, previews of pages.
//!
//! - [`Media`] is the whole of it; [`Media::router`] are its endpoints.
//! - What is uploaded flows into a file of its own while it is hashed (`staging`), and is then placed in the store
//!   (`blobs`: a folder, or S3) once, however often it is uploaded.
//! - Thumbnails are made from it on demand (`thumbnails`), never from anything but a few image formats.
//! - Media of other servers is fetched when somebody asks for it, and kept for a while (`remote`).
//! - Previews of pages (`previews`) fetch what users name, through the outbound client alone.

mod administration;
mod arrivals;
mod blobs;
mod download;
mod error;
mod for_servers;
mod http;
mod ids;
mod media;
mod merge;
mod options;
mod previews;
mod remote;
mod staging;
mod store;
mod sweep;
mod thumbnails;
mod upload;

pub use self::{
    administration::{MediaOverview, MediaOwner, MediaPlace, MediaUsage, UserUsage},
    error::MediaError,
    for_servers::{OutgoingFile, ThumbnailRequest},
    media::{Media, MediaParts},
    options::{
        HostPattern, MediaOptions, NoHostPattern, PreviewOptions, RemoteOptions, S3Options, StoreOptions,
        ThumbnailOptions,
    },
    remote::{RemoteBody, RemoteMedia, RemoteMediaAnswer, RemoteMediaRequest},
};
