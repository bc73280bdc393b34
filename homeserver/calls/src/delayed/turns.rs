use std::{collections::HashMap, hash::Hash, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

/// Whose turn it is: what is done with one thing is done one after the other, without anyone else having to wait. Entries
/// live while somebody is at work or waits.
pub(super) struct Turns<K: Eq + Hash + Clone>(Map<K>);

type Map<K> = Arc<Mutex<HashMap<K, Arc<tokio::sync::Mutex<()>>>>>;

/// Held while something is done.
pub(super) struct Turn<K: Eq + Hash + Clone> {
    turns: Map<K>,
    of: K,
    held: Option<OwnedMutexGuard<()>>,
}

impl<K: Eq + Hash + Clone> Default for Turns<K> {
    fn default() -> Self {
        Self(Map::default())
    }
}

impl<K: Eq + Hash + Clone> Turns<K> {
    pub async fn take(&self, of: &K) -> Turn<K> {
        let lock = Arc::clone(self.0.lock().entry(of.clone()).or_default());
        // Made first: who gives up waiting leaves no entry behind either.
        let mut turn = Turn {
            turns: Arc::clone(&self.0),
            of: of.clone(),
            held: None,
        };
        turn.held = Some(lock.lock_owned().await);
        turn
    }
}

impl<K: Eq + Hash + Clone> Drop for Turn<K> {
    fn drop(&mut self) {
        self.held = None;
        let mut turns = self.turns.lock();
        // Whoever else wants it holds it by now, or has to pass the map's lock first.
        if turns
            .get(&self.of)
            .is_some_and(|lock| Arc::strong_count(lock) == 1)
        {
            turns.remove(&self.of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_come_one_after_the_other_and_leave_nothing_behind() {
        let turns = Arc::new(Turns::default());
        let (one, other) = ("one", "other");
        let first = turns.take(&one).await;
        let of_other = turns.take(&other).await;
        let second = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move { turns.take(&one).await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        let given_up = tokio::time::timeout(std::time::Duration::ZERO, turns.take(&one)).await;
        assert!(given_up.is_err());
        drop(first);
        let second = second.await.unwrap();
        drop((second, of_other));
        assert!(turns.0.lock().is_empty());
    }
}
