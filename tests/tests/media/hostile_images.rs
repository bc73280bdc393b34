//! Images that are made to hurt whoever unpacks them.

use echorift_tests::{TestServer, refused};
use reqwest::StatusCode;

use crate::{download, images, thumbnail, upload};

const QUERY: &str = "width=96&height=96&method=crop";

#[tokio::test]
async fn a_tiny_file_that_claims_to_be_huge_is_not_unpacked() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    for bomb in [
        images::claimed_png(50_000, 50_000),
        // A GIF and a BMP of the same kind.
        b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;".to_vec(),
        [
            &b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"[..],
            &60_000_i32.to_le_bytes(),
            &60_000_i32.to_le_bytes(),
            b"\x01\0\x18\0\0\0\0\0\x10\0\0\0\x13\x0b\0\0\x13\x0b\0\0\0\0\0\0\0\0\0\0",
            &[0; 16],
        ]
        .concat(),
    ] {
        let media = upload(&alice, "image/png", bomb).await;
        let answer = thumbnail(&alice, &media, QUERY).await.into_answer();
        refused(answer, 413, "M_TOO_LARGE");
    }
}

#[tokio::test]
async fn a_broken_image_has_no_thumbnail() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let whole = images::png(500, 500);
    let moving = images::moving_gif(300, 300, 3);
    for broken in [
        whole[..60].to_vec(),
        images::claimed_png(500, 500),
        b"\xff\xd8\xff\xe0 and no more".to_vec(),
        b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff".to_vec(),
        moving[..30].to_vec(),
        b"BM".to_vec(),
        Vec::new(),
    ] {
        let media = upload(&alice, "image/png", broken).await;
        let answer = thumbnail(&alice, &media, QUERY).await.into_answer();
        refused(answer, 400, "M_UNKNOWN");
    }
}

#[tokio::test]
async fn what_is_no_image_is_not_made_one() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    for (claimed, content) in [
        (
            "image/svg+xml",
            "<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        ),
        ("image/png", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("image/png", "<html><script>alert(1)</script></html>"),
        ("image/png", "%PDF-1.4"),
        ("video/mp4", "\0\0\0\u{18}ftypmp42"),
    ] {
        let media = upload(&alice, claimed, content).await;
        let answer = thumbnail(&alice, &media, QUERY).await.into_answer();
        refused(answer, 400, "M_UNKNOWN");
    }
}

#[tokio::test]
async fn a_file_that_is_two_things_is_served_as_the_harmless_one() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    // Every byte of a page behind a picture: browsers that guess would run it.
    let mut polyglot = images::png(1_000, 1_000);
    polyglot.extend(b"<html><script>alert(1)</script></html>");
    let media = upload(&alice, "text/html", polyglot.clone()).await;
    let answer = thumbnail(&alice, &media, QUERY).await;
    assert_eq!(answer.header("content-type"), "image/jpeg");
    assert!(!answer.body.windows(8).any(|window| window == b"<script>"));
    let answer = download(&alice, &media).await;
    assert_eq!(answer.header("content-disposition"), "attachment");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn an_animation_without_end_stands_still() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let media = upload(&alice, "image/gif", images::moving_gif(200, 200, 400)).await;
    let query = format!("{QUERY}&animated=true");
    let answer = thumbnail(&alice, &media, &query).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "image/jpeg");
}

#[tokio::test]
async fn a_file_that_is_too_large_to_be_read_has_no_thumbnail() {
    let server = TestServer::builder()
        .set("media.thumbnail_max_source", "100KiB")
        .set("media.thumbnail_max_megapixels", 1)
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let mut padded = images::png(200, 200);
    padded.resize(200_000, 0);
    let too_many_pixels = images::png(1_100, 1_000);
    assert!(
        too_many_pixels.len() < 100 << 10,
        "it is the pixels that are too many"
    );
    for content in [padded, too_many_pixels] {
        let media = upload(&alice, "image/png", content).await;
        let answer = thumbnail(&alice, &media, QUERY).await.into_answer();
        refused(answer, 413, "M_TOO_LARGE");
    }
}
