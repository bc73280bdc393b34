//! The same on a service that speaks S3: versitygw, which checks signatures.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use echorift_tests::{PATIENCE, TestServer, refused};
use reqwest::{Method, StatusCode};

use crate::{DOWNLOAD, download, files_below, images, send, thumbnail, upload};

const BUCKET: &str = "echorift-media";

/// A service with an empty bucket; it ends with this value.
struct S3 {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl S3 {
    /// `None` where the program is not installed, which `tests/run` does.
    async fn start() -> Option<Self> {
        let program = std::env::var_os("ECHORIFT_TEST_S3")?;
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        // Free a moment ago; the program cannot be asked to choose one itself.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let process = Command::new(program)
            .args(["--access", "key", "--secret", "secret", "--port"])
            .arg(format!("127.0.0.1:{port}"))
            .arg("posix")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the S3 service can be started");
        let service = Self {
            process,
            port,
            folder,
        };
        let connecting = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, connecting)
            .await
            .expect("S3 answers");
        Some(service)
    }

    async fn server(&self, secret: &str) -> TestServer {
        TestServer::builder()
            .set("media.store", "s3")
            .set("media.s3.endpoint", format!("http://127.0.0.1:{}", self.port))
            .set("media.s3.bucket", BUCKET)
            .set("media.s3.access_key", "key")
            .set("media.s3.secret_key", secret)
            .start()
            .await
    }

    fn bucket(&self) -> std::path::PathBuf {
        self.folder.path().join(BUCKET)
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn objects(bucket: &Path) -> usize {
    let entries = std::fs::read_dir(bucket).unwrap().map(|entry| entry.unwrap());
    entries
        .filter(|entry| entry.file_type().unwrap().is_file())
        .count()
}

#[tokio::test]
async fn contents_lie_in_the_bucket_and_come_out_of_it() {
    let Some(s3) = S3::start().await else { return };
    let server = s3.server("secret").await;
    let [alice] = server.register(["alice"]).await;
    let picture = images::png(1_000, 500);
    let media = upload(&alice, "image/png", picture.clone()).await;
    assert!(download(&alice, &media).await.body == picture);
    upload(&alice, "image/png", picture.clone()).await;
    assert_eq!(objects(&s3.bucket()), 1, "the same content is stored once");
    let answer = thumbnail(&alice, &media, "width=96&height=96&method=crop").await;
    assert_eq!(answer.image().width(), 96);
    assert_eq!(objects(&s3.bucket()), 2);
    let empty = upload(&alice, "text/plain", Vec::new()).await;
    assert!(download(&alice, &empty).await.body.is_empty());

    let request = alice.request(Method::GET, format!("{DOWNLOAD}/{media}"));
    let part = send(request.header("range", "bytes=10-19")).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert!(part.body == picture[10..20]);
    // Nothing stays on the server itself.
    assert_eq!(files_below(&server.data_dir().join("media")), 0);
}

#[tokio::test]
async fn large_contents_go_in_parts() {
    let Some(s3) = S3::start().await else { return };
    let server = s3.server("secret").await;
    let [alice] = server.register(["alice"]).await;
    // Three parts, the last one small.
    let content: Vec<u8> = (0..35_000_000_u32)
        .map(|n| u8::try_from(n % 241).unwrap())
        .collect();
    let media = upload(&alice, "video/mp4", content.clone()).await;
    let answer = download(&alice, &media).await;
    assert_eq!(answer.header("content-length"), "35000000");
    assert!(answer.body == content);
    let request = alice.request(Method::GET, format!("{DOWNLOAD}/{media}"));
    let part = send(request.header("range", "bytes=16777000-16778000")).await;
    assert!(part.body == content[16_777_000..=16_778_000]);
}

#[tokio::test]
async fn a_store_that_refuses_is_an_error_and_leaves_nothing() {
    let Some(s3) = S3::start().await else { return };
    let server = s3.server("wrong").await;
    let [alice] = server.register(["alice"]).await;
    let request = alice.request(Method::POST, crate::UPLOAD).body("x");
    let refusal = refused(send(request).await.into_answer(), 500, "M_UNKNOWN");
    assert!(!refusal.body.to_string().contains("127.0.0.1"));
    assert_eq!(files_below(&server.data_dir().join("media")), 0);
    assert!(!server.logs().iter().any(|line| line.contains("X-Amz-Signature")));
}
