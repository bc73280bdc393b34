#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use bytes::Bytes;
use echorift_storage::DatabaseOptions;
use serde_json::Map;

use super::*;
use crate::blobs::{open_disk, read_whole};
use crate::ids::{BlobKey, ContentHash, MediaId};
use crate::staging::Staging;
use crate::store::Content;
use crate::store::media::{Description, Found, NewMedia};
use crate::thumbnails::{Form, Method};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const LATER: Timestamp = Timestamp(NOW.0 + 2 * GRACE_MS);

/// A database, a store, and what stands in them.
struct Ground {
    folder: tempfile::TempDir,
    database: Database,
    blobs: Arc<dyn BlobStore>,
    staging: Staging,
}

impl Ground {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = DatabaseOptions {
            url: format!("sqlite:{}", folder.path().join("test.db").display()),
            max_connections: 2,
        };
        Self {
            database: Database::open(&options).await.unwrap(),
            blobs: open_disk(folder.path()).unwrap(),
            staging: Staging::open(folder.path().join("staging")).unwrap(),
            folder,
        }
    }

    async fn place(&self, text: &'static str) -> Content {
        let staged = self
            .staging
            .receive_bytes(Bytes::from_static(text.as_bytes()))
            .await
            .unwrap();
        let content = Content {
            hash: staged.hash.clone(),
            key: BlobKey::new(&staged.hash),
            size: staged.size,
        };
        let mut change = Change::new();
        store::garbage::note(&mut change, &content.key, LATER);
        self.database.writer().commit(change).await.unwrap();
        self.blobs.place(content.key.clone(), staged).await.unwrap();
        content
    }

    /// Media that go at `expires`; `thumbnail` is made from them.
    async fn keep(
        &self,
        content: &Content,
        expires: Option<Timestamp>,
        thumbnail: Option<&Content>,
    ) -> MediaId {
        let media = NewMedia {
            id: MediaId::random(),
            user: None,
            hash: content.hash.clone(),
            description: Description {
                content_type: "image/png".to_owned(),
                file_name: None,
            },
            expires,
            is_public: false,
        };
        let (id, content, thumbnail) = (media.id.clone(), content.clone(), thumbnail.cloned());
        let form = Form::serving(Method::Crop, 32, 32, false);
        let kept: Result<(), MediaError> = self
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(async move {
                    store::contents::insert(tx, &content, NOW).await?;
                    store::media::insert(tx, &media, NOW).await?;
                    if let Some(thumbnail) = thumbnail {
                        store::contents::insert(tx, &thumbnail, NOW).await?;
                        let (of, hash) = (&content.hash, &thumbnail.hash);
                        store::thumbnails::insert(tx, of, form, hash, "image/png").await?;
                    }
                    Ok(())
                })
            })
            .await;
        kept.unwrap();
        id
    }

    async fn sweep(&self, now: Timestamp) {
        let unread_since = now.plus_ms(-GRACE_MS);
        sweep(&self.database, &*self.blobs, now, unread_since)
            .await
            .unwrap();
    }

    async fn has(&self, content: &Content) -> bool {
        read_whole(&*self.blobs, content.key.clone(), 0..content.size)
            .await
            .is_ok()
    }

    async fn knows(&self, hash: &ContentHash) -> bool {
        store::contents::find(&self.database, hash)
            .await
            .unwrap()
            .is_some()
    }
}

#[tokio::test]
async fn the_last_reference_takes_content_and_thumbnails_with_it() {
    let ground = Ground::new().await;
    let (content, thumbnail) = (ground.place("content").await, ground.place("thumbnail").await);
    let gone = ground.keep(&content, Some(NOW), Some(&thumbnail)).await;
    let stays = ground.keep(&content, Some(LATER), None).await;
    let after = NOW.plus_ms(GRACE_MS + 1);
    ground.sweep(after).await;
    let found = async |id| store::media::find(&ground.database, id).await.unwrap();
    assert_eq!(found(&gone).await, None);
    assert!(matches!(found(&stays).await, Some(Found::Stored(_))));
    assert!(ground.has(&content).await && ground.has(&thumbnail).await);

    ground.sweep(LATER.plus_ms(GRACE_MS + 1)).await;
    assert_eq!(found(&stays).await, None);
    for content in [&content, &thumbnail] {
        assert!(!ground.knows(&content.hash).await && !ground.has(content).await);
    }
    drop(ground.folder);
}

#[tokio::test]
async fn what_people_uploaded_stays() {
    let ground = Ground::new().await;
    let content = ground.place("content").await;
    ground.keep(&content, None, None).await;
    ground.sweep(Timestamp(i64::MAX)).await;
    assert!(ground.knows(&content.hash).await && ground.has(&content).await);
}

#[tokio::test]
async fn a_blob_that_nothing_came_of_is_removed_in_time() {
    let ground = Ground::new().await;
    let (kept, lost) = (ground.place("same").await, ground.place("same").await);
    ground.keep(&kept, None, None).await;
    ground.keep(&lost, None, None).await;
    ground.sweep(LATER.plus_ms(-1)).await;
    assert!(ground.has(&lost).await, "somebody may still be at it");
    ground.sweep(LATER).await;
    assert!(ground.has(&kept).await && !ground.has(&lost).await);
}

#[tokio::test]
async fn a_preview_is_forgotten_when_its_time_is_over() {
    let ground = Ground::new().await;
    let mut change = Change::new();
    store::previews::put(&mut change, "key", &Map::new(), NOW);
    ground.database.writer().commit(change).await.unwrap();
    let find = async |now| store::previews::find(&ground.database, "key", now).await.unwrap();
    assert_eq!(find(NOW.plus_ms(-1)).await, Some(Map::new()));
    assert_eq!(find(NOW).await, None, "it is not shown any more");
    ground.sweep(NOW.plus_ms(1)).await;
    assert_eq!(find(NOW.plus_ms(-1)).await, None, "it is gone");
}

#[tokio::test]
async fn media_of_other_servers_go_when_nobody_reads_them_and_their_content_with_the_last() {
    let ground = Ground::new().await;
    let content = ground.place("theirs").await;
    let server = ruma::server_name!("two.example");
    let (read, unread) = (MediaId::parse("read").unwrap(), MediaId::parse("unread").unwrap());
    let (placed, ids) = (
        content.clone(),
        [(read.clone(), NOW.plus_ms(2)), (unread.clone(), NOW)],
    );
    let written: Result<(), MediaError> = ground
        .database
        .writer()
        .transact(move |tx| {
            let (placed, ids) = (placed.clone(), ids.clone());
            Box::pin(async move {
                store::contents::insert(tx, &placed, NOW).await?;
                let description = Description::unknown();
                for (id, at) in ids {
                    store::remote::put(tx, server, &id, &placed.hash, &description, at).await?;
                }
                Ok(())
            })
        })
        .await;
    written.unwrap();
    let find = async |id: &MediaId| store::remote::find(&ground.database, server, id).await.unwrap();
    // `Ground::sweep` drops what was not read for as long as uploads have to end.
    ground.sweep(NOW.plus_ms(GRACE_MS + 1)).await;
    assert!(find(&unread).await.is_none());
    assert_eq!(find(&read).await.unwrap().content, content);
    assert!(ground.has(&content).await);
    ground.sweep(NOW.plus_ms(2 * GRACE_MS)).await;
    assert!(find(&read).await.is_none());
    assert!(!ground.has(&content).await);
}
