//! What a refusal leaves of the connection that it came by.

use echorift_tests::TestServer;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

/// Sends the head of a request with a token that is none; the body is the caller's business.
async fn ask(connection: &mut BufReader<TcpStream>, length: usize) {
    let head = format!(
        "POST /_matrix/client/v3/createRoom HTTP/1.1\r\nhost: test.example\r\nauthorization: Bearer forged\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.flush().await.unwrap();
}

/// The status line and the headers of the next answer, in small letters; its body is read, too.
async fn answer(connection: &mut BufReader<TcpStream>) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await.unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_lowercase()),
        }
    }
    let length = lines
        .iter()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    connection.read_exact(&mut body).await.unwrap();
    lines
}

#[tokio::test]
async fn a_refusal_leaves_a_connection_that_can_be_used_or_says_that_it_does_not() {
    let server = TestServer::shared().await;
    let base_url = server.base_url();
    let address = base_url.trim_start_matches("http://");
    let mut connection = BufReader::new(TcpStream::connect(address).await.unwrap());
    let closes = "connection: close".to_owned();
    // Head and body apart, as many clients write them: the token alone is enough for an answer.
    for _ in 0..3 {
        ask(&mut connection, 2).await;
        connection.write_all(b"{}").await.unwrap();
        let lines = answer(&mut connection).await;
        assert!(lines[0].contains("401") && !lines.contains(&closes), "{lines:?}");
    }
    // Nobody reads a megabyte for nothing.
    ask(&mut connection, 1_000_000).await;
    let lines = answer(&mut connection).await;
    assert!(lines[0].contains("401") && lines.contains(&closes), "{lines:?}");
}
