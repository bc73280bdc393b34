//! The content repository: uploads, downloads, thumbnails, previews of pages.
