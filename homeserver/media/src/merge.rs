use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use parking_lot::Mutex;

use crate::MediaError;

type Outcome<V> = Result<V, MediaError>;
type Running<K, V> = Mutex<HashMap<K, Shared<BoxFuture<'static, Outcome<V>>>>>;

/// Work that several may ask for at once and that is done once for all of them.
pub(crate) struct Merge<K, V> {
    /// Guards the list of what runs, never across an await.
    running: Arc<Running<K, V>>,
}

impl<K, V> Merge<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(crate) fn new() -> Self {
        Self {
            running: Arc::default(),
        }
    }

    /// The outcome of `work`, or of the same work that runs already. It is a task of its own: whoever asked first may
    /// go away without taking it from the others.
    pub(crate) async fn run(
        &self,
        key: K,
        work: impl Future<Output = Outcome<V>> + Send + 'static,
    ) -> Outcome<V> {
        let outcome = {
            let mut running = self.running.lock();
            match running.get(&key) {
                Some(outcome) => outcome.clone(),
                None => {
                    let outcome = self.start(key.clone(), work);
                    running.insert(key, outcome.clone());
                    outcome
                }
            }
        };
        outcome.await
    }

    fn start(
        &self,
        key: K,
        work: impl Future<Output = Outcome<V>> + Send + 'static,
    ) -> Shared<BoxFuture<'static, Outcome<V>>> {
        let running = Arc::clone(&self.running);
        let task = tokio::spawn(async move {
            // Removed also when the work panics, or nobody could ask for it again.
            let _done = Remove { running, key };
            work.await
        });
        async move { task.await.unwrap_or_else(|error| Err(error.into())) }
            .boxed()
            .shared()
    }
}

struct Remove<K: Eq + Hash, V> {
    running: Arc<Running<K, V>>,
    key: K,
}

impl<K: Eq + Hash, V> Drop for Remove<K, V> {
    fn drop(&mut self) {
        self.running.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn what_is_asked_for_twice_at_once_is_done_once() {
        let merge = Arc::new(Merge::<&str, u32>::new());
        let (runs, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
        let work = |merge: Arc<Merge<&'static str, u32>>| {
            let (runs, gate) = (Arc::clone(&runs), Arc::clone(&gate));
            async move {
                let work = async move {
                    let _ = gate.acquire().await;
                    Ok(runs.fetch_add(1, Ordering::SeqCst) + 1)
                };
                merge.run("a", work).await
            }
        };
        let first = tokio::spawn(work(Arc::clone(&merge)));
        while merge.running.lock().is_empty() {
            tokio::task::yield_now().await;
        }
        let second = work(Arc::clone(&merge));
        gate.add_permits(1);
        assert_eq!(second.await.unwrap(), 1);
        assert_eq!(first.await.unwrap().unwrap(), 1);
        assert_eq!(
            work(Arc::clone(&merge)).await.unwrap(),
            2,
            "it is done again later"
        );
    }
}
