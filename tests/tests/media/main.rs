//! The content repository: what goes in comes out, to whom it may, and nothing that users send or name harms the server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod downloads;
mod hostile_images;
mod images;
mod later_uploads;
mod previews;
mod s3;
mod site;
mod ssrf;
mod thumbnails;
mod unauthenticated;
mod uploads;

use echorift_tests::{Answer, Caller, Look as _, Refusal};
use reqwest::{Method, StatusCode, header};
use serde_json::Value;

const UPLOAD: &str = "/_matrix/media/v3/upload";
const DOWNLOAD: &str = "/_matrix/client/v1/media/download";
const THUMBNAIL: &str = "/_matrix/client/v1/media/thumbnail";

/// An answer that is not JSON.
#[derive(Debug)]
struct Raw {
    status: StatusCode,
    headers: header::HeaderMap,
    body: Vec<u8>,
}

impl Raw {
    #[track_caller]
    fn header(&self, name: &str) -> &str {
        match self.headers.get(name) {
            Some(value) => value.to_str().expect("a header is text"),
            None => panic!("no header {name} in {:?}", self.headers),
        }
    }

    /// As the library's [`Answer`], to be looked at like other refusals.
    fn into_answer(self) -> Answer {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        if self.status.is_success() {
            return Ok(body);
        }
        let errcode = body["errcode"].as_str().unwrap_or_default().to_owned();
        Err(Refusal {
            status: self.status.as_u16(),
            errcode,
            body,
        })
    }

    /// The picture in it.
    fn image(&self) -> image::DynamicImage {
        image::load_from_memory(&self.body).expect("an image")
    }
}

async fn send(request: reqwest::RequestBuilder) -> Raw {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await.expect("a whole body").to_vec();
    Raw {
        status,
        headers,
        body,
    }
}

/// Uploads, and gives the `server/media id` of the `mxc://` URI.
async fn upload(who: &Caller, content_type: &str, content: impl Into<reqwest::Body>) -> String {
    upload_named(who, content_type, "", content).await
}

/// `query` as `?filename=…`.
async fn upload_named(
    who: &Caller,
    content_type: &str,
    query: &str,
    content: impl Into<reqwest::Body>,
) -> String {
    let request = who
        .request(Method::POST, format!("{UPLOAD}{query}"))
        .header("content-type", content_type)
        .body(content);
    let answer = send(request).await.into_answer().expect("an upload is taken");
    media_of(answer.text("/content_uri"))
}

fn media_of(uri: &str) -> String {
    uri.strip_prefix("mxc://").expect("an mxc URI").to_owned()
}

async fn get(who: &Caller, path: impl AsRef<str>) -> Raw {
    send(who.request(Method::GET, path)).await
}

async fn download(who: &Caller, media: &str) -> Raw {
    get(who, format!("{DOWNLOAD}/{media}")).await
}

/// `query` as `width=32&height=32&method=crop`.
async fn thumbnail(who: &Caller, media: &str, query: &str) -> Raw {
    get(who, format!("{THUMBNAIL}/{media}?{query}")).await
}

/// Files below a folder of the server's data.
fn files_below(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .map(|entry| entry.expect("a readable folder").path())
        .map(|path| if path.is_dir() { files_below(&path) } else { 1 })
        .sum()
}
