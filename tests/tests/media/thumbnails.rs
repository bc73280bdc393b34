use echorift_tests::{TestServer, refused};
use image::{GenericImageView as _, ImageFormat};
use reqwest::StatusCode;

use crate::images::{self, BLUE, RED, is_close};
use crate::{Raw, download, files_below, thumbnail, upload};

fn size(answer: &Raw) -> (u32, u32) {
    answer.image().dimensions()
}

#[tokio::test]
async fn sizes_follow_the_specification() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let media = upload(&alice, "image/png", images::png(1_000, 500)).await;
    for (query, expected) in [
        ("width=32&height=32&method=crop", (32, 32)),
        ("width=96&height=96&method=crop", (96, 96)),
        ("width=50&height=50&method=crop", (64, 64)),
        ("width=200&height=100&method=crop", (256, 128)),
        ("width=320&height=240&method=scale", (320, 160)),
        ("width=640&height=480&method=scale", (640, 320)),
        ("width=800&height=600", (800, 400)),
        ("width=1&height=1&method=scale", (320, 160)),
        // Never larger than the image itself.
        ("width=1600&height=1200&method=scale", (1_000, 500)),
        ("width=4000&height=4000&method=scale", (1_000, 500)),
        ("width=4000&height=4000&method=crop", (1_000, 500)),
        ("width=600&height=600&method=crop", (500, 500)),
    ] {
        let answer = thumbnail(&alice, &media, query).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}");
        assert_eq!(size(&answer), expected, "{query}");
        assert!(
            answer
                .header("content-disposition")
                .starts_with("inline; filename=\"thumbnail.")
        );
        assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
    }
}

#[tokio::test]
async fn the_picture_is_the_same_but_smaller() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Bmp,
    ] {
        let content = images::encode(&images::halves(1_000, 500), format);
        // What it is said to be does not matter.
        let media = upload(&alice, "application/x-thing", content).await;
        let answer = thumbnail(&alice, &media, "width=96&height=96&method=crop").await;
        assert_eq!(answer.header("content-type"), "image/jpeg", "{format:?}");
        let image = answer.image();
        assert!(
            is_close(&image, 5, 48, RED) && is_close(&image, 90, 48, BLUE),
            "{format:?}"
        );
    }
    let media = upload(&alice, "image/png", images::transparent_png(1_000, 500)).await;
    let answer = thumbnail(&alice, &media, "width=320&height=240&method=scale").await;
    assert_eq!(answer.header("content-type"), "image/png");
    let image = answer.image().to_rgba8();
    assert_eq!(
        (image.get_pixel(5, 80).0[3], image.get_pixel(315, 80).0[3]),
        (255, 0)
    );
}

#[tokio::test]
async fn a_picture_that_lies_on_its_side_is_put_upright() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let media = upload(&alice, "image/jpeg", images::turned_jpeg(1_000, 500)).await;
    let answer = thumbnail(&alice, &media, "width=320&height=240&method=scale").await;
    let image = answer.image();
    assert_eq!(image.dimensions(), (120, 240));
    // What was left is on top now.
    assert!(is_close(&image, 60, 20, RED) && is_close(&image, 60, 220, BLUE));
}

#[tokio::test]
async fn a_small_picture_is_its_own_thumbnail() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let content = images::png(80, 60);
    let media = upload(&alice, "text/html", content.clone()).await;
    let answer = thumbnail(&alice, &media, "width=96&height=96&method=crop").await;
    assert!(answer.body == content);
    assert_eq!(answer.header("content-type"), "image/png");
}

#[tokio::test]
async fn what_moves_moves_only_if_asked_to() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let media = upload(&alice, "image/gif", images::moving_gif(400, 300, 5)).await;
    let frames = |answer: &Raw| {
        let decoder = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(answer.body.clone())).unwrap();
        image::AnimationDecoder::into_frames(decoder).count()
    };
    let moving = thumbnail(&alice, &media, "width=96&height=96&method=crop&animated=true").await;
    assert_eq!(moving.header("content-type"), "image/gif");
    assert_eq!((frames(&moving), size(&moving)), (5, (96, 96)));
    for query in [
        "width=96&height=96&method=crop",
        "width=96&height=96&method=crop&animated=false",
    ] {
        let still = thumbnail(&alice, &media, query).await;
        assert_eq!(still.header("content-type"), "image/jpeg", "{query}");
    }
    // Small enough to be its own thumbnail, but not to stand still.
    let large = "width=800&height=600&method=scale";
    let still = thumbnail(&alice, &media, large).await;
    assert_eq!(
        (still.header("content-type"), size(&still)),
        ("image/jpeg", (400, 300))
    );
    let itself = thumbnail(&alice, &media, &format!("{large}&animated=true")).await;
    assert_eq!(frames(&itself), 5);

    let photo = upload(&alice, "image/png", images::png(400, 300)).await;
    let answer = thumbnail(&alice, &photo, "width=96&height=96&method=crop&animated=true").await;
    assert_eq!(answer.header("content-type"), "image/jpeg");
}

#[tokio::test]
async fn a_thumbnail_is_made_once_and_kept() {
    let server = TestServer::start().await;
    let [alice] = server.register(["alice"]).await;
    let media = upload(&alice, "image/png", images::png(1_000, 500)).await;
    let contents = server.data_dir().join("media/contents");
    assert_eq!(files_below(&contents), 1);
    let query = "width=96&height=96&method=crop";
    let ask = || thumbnail(&alice, &media, query);
    let answers = tokio::join!(ask(), ask(), ask(), ask(), ask(), ask());
    let later = ask().await;
    assert!(answers.0.body == later.body && answers.5.body == later.body);
    assert_eq!(files_below(&contents), 2);
    server.kill();
    server.restart().await;
    assert!(thumbnail(&alice, &media, query).await.body == later.body);
    assert_eq!(files_below(&contents), 2);
    let etag = later.header("etag").to_owned();
    assert_ne!(download(&alice, &media).await.header("etag"), etag);
}

#[tokio::test]
async fn nonsense_is_refused() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let media = upload(&alice, "image/png", images::png(64, 64)).await;
    for query in [
        "width=0&height=32",
        "width=-1&height=32",
        "width=a&height=32",
        "width=32&height=32&method=squeeze",
        "width=32&height=32&animated=perhaps",
    ] {
        let answer = thumbnail(&alice, &media, query).await.into_answer();
        refused(answer, 400, "M_INVALID_PARAM");
    }
    let answer = thumbnail(&alice, &media, "width=32").await.into_answer();
    assert_eq!(answer.unwrap_err().status, 400);
}
