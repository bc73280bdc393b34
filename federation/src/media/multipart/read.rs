use bytes::{Bytes, BytesMut};
use echorift_media::RemoteBody;
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

/// How much may come before the file begins: two boundaries, a few headers, metadata.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// The head is looked at again after so much more has come: somebody who sends it letter by letter shall not keep us
/// busy.
const LOOK_EVERY_BYTES: usize = 512;
const HEADERS_MAX: usize = 32;
/// RFC 2046 allows 70.
const BOUNDARY_BYTES_MAX: usize = 200;

/// Why an answer is not one with media.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(in super::super) enum Bad {
    #[error("it is not multipart/mixed with a boundary")]
    NoBoundary,
    #[error("its parts are malformed: {0}")]
    Malformed(&'static str),
    #[error("it broke off: {0}")]
    BrokenOff(String),
}

/// The boundary that a `Content-Type` names.
pub(in super::super) fn boundary_of(content_type: &str) -> Result<String, Bad> {
    let (essence, parameters) = content_type.split_once(';').ok_or(Bad::NoBoundary)?;
    if !essence.trim().eq_ignore_ascii_case("multipart/mixed") {
        return Err(Bad::NoBoundary);
    }
    let boundary = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim().trim_matches('"'))
    });
    let is_usable = |boundary: &&str| !boundary.is_empty() && boundary.len() <= BOUNDARY_BYTES_MAX;
    Ok(boundary.filter(is_usable).ok_or(Bad::NoBoundary)?.to_owned())
}

/// Reads up to the beginning of the file: the headers of its part, and the file as it comes.
pub(in super::super) async fn read(
    boundary: &str,
    mut pieces: impl Stream<Item = Result<Bytes, String>> + Send + Unpin + 'static,
) -> Result<(HeaderMap, RemoteBody), Bad> {
    let delimiter: Vec<u8> = format!("\r\n--{boundary}").into_bytes();
    let mut buffer = BytesMut::new();
    let mut look_at = LOOK_EVERY_BYTES;
    loop {
        let piece = pieces.next().await.transpose().map_err(Bad::BrokenOff)?;
        let is_end = piece.is_none();
        buffer.extend_from_slice(&piece.unwrap_or_default());
        if is_end || buffer.len() >= look_at {
            if let Some((headers, start)) = head(&buffer, &delimiter)? {
                let rest = buffer.split_off(start);
                return Ok((headers, file(rest, delimiter, pieces)));
            }
            look_at = buffer.len().saturating_add(LOOK_EVERY_BYTES);
        }
        if is_end {
            return Err(Bad::Malformed("it ends before the file begins"));
        }
        if buffer.len() > HEAD_BYTES_MAX {
            return Err(Bad::Malformed("the file does not begin"));
        }
    }
}

/// The headers of the second part and where its content begins; `None` if that has not come yet.
fn head(buffer: &[u8], delimiter: &[u8]) -> Result<Option<(HeaderMap, usize)>, Bad> {
    // Without a preamble the first boundary needs no line break before it.
    let bare = delimiter.strip_prefix(b"\r\n").unwrap_or(delimiter);
    let first = if buffer.starts_with(bare) {
        Some(bare.len())
    } else {
        find(buffer, delimiter, 0).map(|at| at.saturating_add(delimiter.len()))
    };
    let Some((_, metadata)) = first.map(|at| part(buffer, at)).transpose()?.flatten() else {
        return Ok(None);
    };
    let Some(metadata_end) = find(buffer, delimiter, metadata) else {
        return Ok(None);
    };
    let json = buffer.get(metadata..metadata_end).unwrap_or_default();
    serde_json::from_slice::<Map<String, Value>>(json)
        .map_err(|_| Bad::Malformed("the metadata is no object"))?;
    part(buffer, metadata_end.saturating_add(delimiter.len()))
}

/// The headers of the part whose boundary ends at `from`, and where its content begins; `None` if that has not come.
fn part(buffer: &[u8], from: usize) -> Result<Option<(HeaderMap, usize)>, Bad> {
    let mut headers = HeaderMap::new();
    let Some((rest, mut at)) = line(buffer, from) else {
        return Ok(None);
    };
    // Behind the last boundary there is no part.
    if !rest.trim_ascii().is_empty() {
        return Err(Bad::Malformed("a part is missing"));
    }
    while let Some((text, next)) = line(buffer, at) {
        at = next;
        if text.is_empty() {
            return Ok(Some((headers, at)));
        }
        if headers.len() >= HEADERS_MAX {
            return Err(Bad::Malformed("there are too many headers"));
        }
        let colon = text.iter().position(|byte| *byte == b':');
        let (name, value) = colon
            .and_then(|colon| text.split_at_checked(colon))
            .ok_or(Bad::Malformed("a header has no colon"))?;
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
        let name =
            HeaderName::from_bytes(name.trim_ascii()).map_err(|_| Bad::Malformed("a header has no name"))?;
        let value = HeaderValue::from_bytes(value).map_err(|_| Bad::Malformed("a header has no value"))?;
        headers.append(name, value);
    }
    Ok(None)
}

/// The line that begins at `from`, without its end, and where the next one begins.
fn line(buffer: &[u8], from: usize) -> Option<(&[u8], usize)> {
    let rest = buffer.get(from..)?;
    let length = rest.iter().position(|byte| *byte == b'\n')?;
    let text = rest.get(..length)?;
    let next = from.saturating_add(length).saturating_add(1);
    Some((text.strip_suffix(b"\r").unwrap_or(text), next))
}

fn find(buffer: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = buffer.get(at..)?;
        at = at.saturating_add(rest.iter().position(|byte| *byte == b'\r')?);
        if buffer.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        at = at.saturating_add(1);
    }
}

/// A file up to its boundary.
struct File<S> {
    buffer: BytesMut,
    delimiter: Vec<u8>,
    pieces: S,
    has_ended: bool,
}

fn file(
    buffer: BytesMut,
    delimiter: Vec<u8>,
    pieces: impl Stream<Item = Result<Bytes, String>> + Send + Unpin + 'static,
) -> RemoteBody {
    let file = File {
        buffer,
        delimiter,
        pieces,
        has_ended: false,
    };
    stream::unfold(file, |mut file| async move { Some((file.next().await?, file)) }).boxed()
}

impl<S: Stream<Item = Result<Bytes, String>> + Unpin> File<S> {
    /// `None` at the boundary. A file that ends without it is not whole.
    async fn next(&mut self) -> Option<Result<Bytes, String>> {
        while !self.has_ended {
            if let Some(end) = find(&self.buffer, &self.delimiter, 0) {
                self.has_ended = true;
                let last = self.buffer.split_to(end).freeze();
                return Some(last).filter(|last| !last.is_empty()).map(Ok);
            }
            // What may be the beginning of the boundary stays.
            let settled = self.buffer.len().saturating_sub(self.delimiter.len());
            if settled > 0 {
                return Some(Ok(self.buffer.split_to(settled).freeze()));
            }
            match self.pieces.next().await {
                Some(Ok(piece)) => self.buffer.extend_from_slice(&piece),
                Some(Err(reason)) => {
                    self.has_ended = true;
                    return Some(Err(reason));
                }
                None => {
                    self.has_ended = true;
                    return Some(Err("the end is missing".to_owned()));
                }
            }
        }
        None
    }
}
