//! A server that answers searches as a test says: with what no OpenLDAP would.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What is asked: where, and for which attributes.
pub(crate) struct Search {
    pub base: String,
    pub attributes: Vec<String>,
}

impl Search {
    pub(crate) fn wants(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|wanted| wanted == attribute)
    }
}

/// An entry, or where another one is.
pub(crate) enum Answer {
    Entry(String, Vec<(String, Vec<String>)>),
    Reference(&'static str),
}

type Script = dyn Fn(Search) -> Vec<Answer> + Send + Sync;

/// Where it listens. It takes every password, and ends with the test's runtime.
pub(crate) async fn serve(script: impl Fn(Search) -> Vec<Answer> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let script: Arc<Script> = Arc::new(script);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, Arc::clone(&script)));
        }
    });
    format!("ldap://{address}")
}

async fn talk(mut stream: TcpStream, script: Arc<Script>) {
    let mut heard = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        while let Some((_, message, length)) = element(&heard) {
            let answer = answer(message, &*script);
            heard.drain(..length);
            if stream.write_all(&answer).await.is_err() {
                return;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => heard.extend(&buffer[..read]),
            _ => return,
        }
    }
}

/// Messages of RFC 4511: what is asked by their tags, and what is answered.
fn answer(message: &[u8], script: &Script) -> Vec<u8> {
    let mut parts = elements(message);
    let id = parts.next().unwrap().1.to_vec();
    let (tag, request) = parts.next().unwrap();
    let message = |operation: Vec<u8>| encode(0x30, &[encode(0x02, std::slice::from_ref(&id)), operation]);
    let done = |tag: u8| {
        message(encode(
            tag,
            &[encode(0x0a, &[vec![0]]), encode(0x04, &[]), encode(0x04, &[])],
        ))
    };
    match tag {
        0x60 => done(0x61),
        0x63 => {
            let parts: Vec<_> = elements(request).collect();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let search = Search {
                base: text(parts[0].1),
                attributes: elements(parts[7].1).map(|(_, name)| text(name)).collect(),
            };
            let found = script(search).into_iter().map(|found| message(operation(found)));
            [found.collect::<Vec<_>>().concat(), done(0x65)].concat()
        }
        // Nobody is answered who says goodbye.
        _ => Vec::new(),
    }
}

fn operation(answer: Answer) -> Vec<u8> {
    let text = |text: &str| encode(0x04, &[text.as_bytes().to_vec()]);
    match answer {
        Answer::Reference(to) => encode(0x73, &[text(to)]),
        Answer::Entry(dn, attributes) => {
            let attributes: Vec<_> = attributes
                .iter()
                .map(|(name, values)| {
                    let values: Vec<_> = values.iter().map(|value| text(value)).collect();
                    encode(0x30, &[text(name), encode(0x31, &values)])
                })
                .collect();
            encode(0x64, &[text(&dn), encode(0x30, &attributes)])
        }
    }
}

fn encode(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let content = parts.concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], &content].concat()
}

/// The first element: tag, content, and how long it is in all. `None` as long as some of it is missing.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (tag, first) = (*bytes.first()?, usize::from(*bytes.get(1)?));
    let more = first.saturating_sub(0x80);
    let length = match more {
        0 => first,
        _ => bytes
            .get(2..2 + more)?
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
    };
    let end = 2 + more + length;
    Some((tag, bytes.get(2 + more..end)?, end))
}

fn elements(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, content, length) = element(bytes)?;
        bytes = &bytes[length..];
        Some((tag, content))
    })
}
