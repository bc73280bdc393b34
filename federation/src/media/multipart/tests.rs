#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use bytes::{Bytes, BytesMut};
use echorift_media::OutgoingFile;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{HeaderMap, HeaderValue, header};

use super::*;

/// What is read of a body that comes in pieces of this size.
async fn read_in(size: usize, body: &[u8]) -> Result<(HeaderMap, Result<Bytes, String>), Bad> {
    let pieces: Vec<_> = body
        .chunks(size)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    let (headers, file) = read("abc", stream::iter(pieces)).await?;
    let file = file.try_fold(BytesMut::new(), |mut whole, piece| async move {
        whole.extend_from_slice(&piece);
        Ok(whole)
    });
    Ok((headers, file.await.map(BytesMut::freeze)))
}

async fn refused(body: &str) -> Bad {
    read_in(7, body.as_bytes()).await.map(|_| ()).unwrap_err()
}

#[tokio::test]
async fn what_is_written_is_read_whole_however_it_is_cut() {
    for content in [&b""[..], b"text", b"\r\n--\r\n--ab\r\r\n", &[0xFF; 3_000]] {
        let file = OutgoingFile {
            content_type: "image/png".to_owned(),
            disposition: HeaderValue::from_static("inline; filename=\"a.png\""),
            size: content.len() as u64,
            body: stream::iter([Ok(Bytes::from_static(content))]).boxed(),
        };
        let response = answer(file);
        let text = |name| response.headers()[name].to_str().unwrap().to_owned();
        let (boundary, length) = (
            boundary_of(&text(header::CONTENT_TYPE)).unwrap(),
            text(header::CONTENT_LENGTH),
        );
        let body = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        assert_eq!(length, body.len().to_string());
        for size in [1, 2, 3, 10, 100, 100_000] {
            let pieces: Vec<_> = body
                .chunks(size)
                .map(|piece| Ok(Bytes::copy_from_slice(piece)))
                .collect();
            let (headers, file) = read(&boundary, stream::iter(pieces)).await.unwrap();
            let file: Vec<Bytes> = file.try_collect().await.unwrap();
            assert_eq!(file.concat(), content, "in pieces of {size}");
            assert_eq!(headers[header::CONTENT_TYPE], "image/png");
            assert_eq!(headers[header::CONTENT_DISPOSITION], "inline; filename=\"a.png\"");
        }
    }
}

#[tokio::test]
async fn a_preamble_bare_line_breaks_and_no_headers_are_understood() {
    let body =
        b"for mail\r\n--abc  \ncontent-type:  application/json\n\n {} \r\n--abc\r\n\r\nfile\r\n--abc--after";
    for size in 1..=body.len() {
        let (headers, file) = read_in(size, body).await.unwrap();
        assert!(headers.is_empty());
        assert_eq!(file.unwrap(), "file");
    }
}

#[tokio::test]
async fn a_place_is_told_in_the_second_part() {
    let body = b"--abc\r\n\r\n{}\r\n--abc\r\nLocation: https://cdn.example/x\r\n\r\n\r\n--abc--";
    let (headers, file) = read_in(10, body).await.unwrap();
    assert_eq!(headers[header::LOCATION], "https://cdn.example/x");
    assert_eq!(file.unwrap(), "");
}

#[tokio::test]
async fn a_file_without_its_end_is_not_whole() {
    let body = b"--abc\r\n\r\n{}\r\n--abc\r\n\r\nfile that breaks o";
    for size in [1, 5, 100] {
        assert!(read_in(size, body).await.unwrap().1.is_err());
    }
}

#[tokio::test]
async fn nonsense_is_refused_within_bounds() {
    for nonsense in [
        "",
        "no boundary",
        "--abc",
        "--abc--",
        "--abc\r\n\r\n{}\r\n--abc--",
        "--abcd\r\n\r\n{}\r\n--abcd\r\n\r\nx\r\n--abcd--",
        "--abc\r\n\r\n[]\r\n--abc\r\n\r\nx\r\n--abc--",
        "--abc\r\n\r\nno json\r\n--abc\r\n\r\nx\r\n--abc--",
        "--abc\r\nno colon\r\n\r\n{}\r\n--abc\r\n\r\nx\r\n--abc--",
        "--abc\r\n\r\n{}\r\n--abc\r\na\u{1}b: x\r\n\r\nx\r\n--abc--",
    ] {
        assert!(
            matches!(refused(nonsense).await, Bad::Malformed(_)),
            "{nonsense:?}"
        );
    }
    let endless = stream::repeat_with(|| Ok(Bytes::from_static(b"x: y\r\n")));
    assert!(matches!(
        read("abc", endless).await.map(|_| ()).unwrap_err(),
        Bad::Malformed(_)
    ));
    let many = format!("--abc\r\n{}\r\n{{}}", "x: y\r\n".repeat(40));
    assert_eq!(refused(&many).await, Bad::Malformed("there are too many headers"));
}

#[test]
fn a_boundary_is_named_by_the_content_type() {
    assert_eq!(boundary_of("multipart/mixed; boundary=abc").unwrap(), "abc");
    assert_eq!(
        boundary_of("Multipart/Mixed; charset=utf-8; Boundary=\"a b\"").unwrap(),
        "a b"
    );
    let long = format!("multipart/mixed; boundary={}", "x".repeat(201));
    for wrong in [
        "",
        "multipart/mixed",
        "multipart/mixed; boundary=",
        "text/plain; boundary=abc",
        &long,
    ] {
        assert_eq!(boundary_of(wrong), Err(Bad::NoBoundary), "{wrong:?}");
    }
}
