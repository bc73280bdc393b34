use echorift_tests::{Caller, Look as _, TestServer};
use reqwest::Method;

crate::both_ways!(
    files_and_thumbnails_come_from_the_other_side,
    what_is_not_there_is_not_found
);

/// A picture whose left half is red.
fn picture() -> Vec<u8> {
    let red = |x: u32| if x < 400 { [200, 0, 0] } else { [0, 0, 200] };
    let image = image::RgbImage::from_fn(800, 600, |x, _| image::Rgb(red(x)));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn upload(who: &Caller, kind: &str, content: Vec<u8>) -> String {
    let request = who
        .request(Method::POST, "/_matrix/media/v3/upload?filename=file.bin")
        .header("content-type", kind)
        .body(content);
    let answer: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    answer
        .text("/content_uri")
        .strip_prefix("mxc://")
        .unwrap()
        .to_owned()
}

async fn fetch(who: &Caller, path: &str) -> (u16, String, Vec<u8>) {
    let response = who.request(Method::GET, path).send().await.unwrap();
    let status = response.status().as_u16();
    let kind = response
        .headers()
        .get("content-type")
        .map(|kind| kind.to_str().unwrap().to_owned());
    (
        status,
        kind.unwrap_or_default(),
        response.bytes().await.unwrap().to_vec(),
    )
}

async fn files_and_thumbnails_come_from_the_other_side(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let text: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
    let file = upload(&alice, "application/x-numbers", text.clone()).await;
    // The second time from what was kept.
    for _ in 0..2 {
        let (status, kind, body) = fetch(&bob, &format!("/_matrix/client/v1/media/download/{file}")).await;
        assert_eq!((status, kind.as_str()), (200, "application/x-numbers"));
        assert!(body == text, "{} bytes came", body.len());
    }
    let image = upload(&alice, "image/png", picture()).await;
    let query = "width=96&height=96&method=crop";
    let (status, _, body) = fetch(
        &bob,
        &format!("/_matrix/client/v1/media/thumbnail/{image}?{query}"),
    )
    .await;
    assert_eq!(status, 200);
    let thumbnail = image::load_from_memory(&body).unwrap().to_rgb8();
    assert_eq!(thumbnail.dimensions(), (96, 96));
    assert!(thumbnail.get_pixel(4, 48)[0] > 150, "the left is red");
    let (status, kind, body) = fetch(&bob, &format!("/_matrix/client/v1/media/download/{image}")).await;
    assert_eq!((status, kind.as_str()), (200, "image/png"));
    assert!(body == picture());
}

async fn what_is_not_there_is_not_found(near: &TestServer, far: &TestServer) {
    let [bob] = far.register(["bob"]).await;
    for path in ["download", "thumbnail"] {
        let query = if path == "thumbnail" {
            "?width=32&height=32"
        } else {
            ""
        };
        let path = format!("/_matrix/client/v1/media/{path}/{}/nothing{query}", near.name());
        let (status, _, body) = fetch(&bob, &path).await;
        assert_eq!(status, 404, "{}", String::from_utf8_lossy(&body));
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body.text("/errcode"), "M_NOT_FOUND");
    }
}
