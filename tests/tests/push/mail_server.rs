use std::sync::{Arc, Mutex};

use echorift_tests::{PATIENCE, ServerBuilder, TestServer};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A mail server of the test's own. It takes every letter, unless told otherwise.
pub(crate) struct MailServer {
    port: u16,
    refuses: Arc<Mutex<bool>>,
    letters: mpsc::UnboundedReceiver<Letter>,
}

/// A letter as it was handed over.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) to: String,
    /// Header and both forms.
    pub(crate) text: String,
}

impl Letter {
    /// Path and query of the first link to the server's own page.
    pub(crate) fn link(&self) -> String {
        let path = "/_echorift/email/confirm?";
        let start = self
            .text
            .find(path)
            .unwrap_or_else(|| panic!("no link in {}", self.text));
        self.text[start..].split_whitespace().next().unwrap().to_owned()
    }

    pub(crate) fn subject(&self) -> &str {
        let line = self.text.lines().find(|line| line.starts_with("Subject: "));
        line.expect("a subject").trim_start_matches("Subject: ")
    }
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sent, letters) = mpsc::unbounded_channel();
        let refuses = Arc::new(Mutex::new(false));
        let refusing = Arc::clone(&refuses);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, sent.clone(), Arc::clone(&refusing)));
            }
        });
        Self {
            port,
            refuses,
            letters,
        }
    }

    /// A server that sends its letters here.
    pub(crate) fn server(&self) -> ServerBuilder {
        TestServer::builder().set("email.smtp", format!("smtp://127.0.0.1:{}", self.port))
    }

    pub(crate) fn refuse(&self, refuses: bool) {
        *self.refuses.lock().unwrap() = refuses;
    }

    pub(crate) async fn next(&mut self) -> Letter {
        let next = tokio::time::timeout(PATIENCE, self.letters.recv()).await;
        next.expect("a letter is sent").expect("the mail server runs")
    }

    /// A letter that has come already.
    pub(crate) fn try_next(&mut self) -> Option<Letter> {
        self.letters.try_recv().ok()
    }
}

async fn serve(
    stream: TcpStream,
    sent: mpsc::UnboundedSender<Letter>,
    refuses: Arc<Mutex<bool>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(b"220 test\r\n").await.ok()?;
    let mut to = String::new();
    loop {
        let line = read_line(&mut stream).await?;
        let command = line.to_uppercase();
        let mut answer = "250 ok";
        if command.starts_with("RCPT TO:") {
            to = line[8..].trim_matches(['<', '>', ' ']).to_owned();
            if *refuses.lock().unwrap() {
                answer = "550 no";
            }
        } else if command == "DATA" {
            stream.get_mut().write_all(b"354 go on\r\n").await.ok()?;
            let mut text = String::new();
            loop {
                let line = read_line(&mut stream).await?;
                if line == "." {
                    break;
                }
                text.push_str(line.strip_prefix("..").map_or(&line, |_| &line[1..]));
                text.push('\n');
            }
            // The test ends first if it wants to read nothing more.
            let text = plain(&text);
            let _ = sent.send(Letter { to: to.clone(), text });
        } else if command == "QUIT" {
            answer = "221 bye";
        }
        stream
            .get_mut()
            .write_all(format!("{answer}\r\n").as_bytes())
            .await
            .ok()?;
    }
}

/// Undoes quoted-printable, in which long lines travel. Everything in these letters that is looked at is ASCII.
fn plain(text: &str) -> String {
    if !text.contains("quoted-printable") {
        return text.to_owned();
    }
    let joined = text.replace("=\n", "");
    let mut parts = joined.split('=');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                plain.push(char::from(byte));
                plain.push_str(&part[2..]);
            }
            None => {
                plain.push('=');
                plain.push_str(part);
            }
        }
    }
    plain
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let length = stream.read_line(&mut line).await.ok()?;
    (length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}
