use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::Instant,
};

/// A tunnel in which nothing has moved for so long is dead: clients and LiveKit send each other a sign of life every few
/// seconds.
const SILENCE_MAX: Duration = Duration::from_secs(150);
/// Signalling is short messages, and there may be thousands of tunnels.
const BUFFER_BYTES: usize = 4 * 1024;

/// Why a tunnel is no more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Both sides have said all they had to say.
    Closed,
    /// A side was cut off.
    Broken,
    Silent,
}

/// Carries bytes both ways.
pub(super) async fn carry<A, B>(one: A, other: B) -> Ended
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    let begun = Instant::now();
    let moved_ms = AtomicU64::new(0);
    let moved = || {
        let elapsed = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        moved_ms.store(elapsed, Ordering::Relaxed);
    };
    let (from_one, to_one) = tokio::io::split(one);
    let (from_other, to_other) = tokio::io::split(other);
    let both = async { tokio::try_join!(pump(from_one, to_other, &moved), pump(from_other, to_one, &moved)) };
    let silence = async {
        loop {
            let last = begun + Duration::from_millis(moved_ms.load(Ordering::Relaxed));
            if last.elapsed() >= SILENCE_MAX {
                return;
            }
            tokio::time::sleep_until(last + SILENCE_MAX).await;
        }
    };
    tokio::select! {
        ended = both => if ended.is_ok() { Ended::Closed } else { Ended::Broken },
        () = silence => Ended::Silent,
    }
}

/// Carries bytes one way until they end, and tells of the end.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    moved: impl Fn(),
) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        moved();
        to.write_all(buffer.get(..count).unwrap_or_default()).await?;
        to.flush().await?;
        moved();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_go_both_ways_and_so_does_the_end() {
        let (mut client, near) = tokio::io::duplex(64);
        let (far, mut sfu) = tokio::io::duplex(64);
        let tunnel = tokio::spawn(carry(near, far));
        client.write_all(b"offer").await.unwrap();
        let mut heard = [0; 5];
        sfu.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"offer");
        sfu.write_all(b"answer").await.unwrap();
        drop(sfu);
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"answer");
        drop(client);
        assert_eq!(tunnel.await.unwrap(), Ended::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_tunnel_lives_as_long_as_something_moves_in_it() {
        let (mut client, near) = tokio::io::duplex(64);
        let (far, mut sfu) = tokio::io::duplex(64);
        let tunnel = tokio::spawn(carry(near, far));
        for _ in 0..3 {
            tokio::time::sleep(SILENCE_MAX - Duration::from_secs(1)).await;
            client.write_all(b"x").await.unwrap();
            sfu.read_exact(&mut [0]).await.unwrap();
            assert!(!tunnel.is_finished());
        }
        let before = Instant::now();
        assert_eq!(tunnel.await.unwrap(), Ended::Silent);
        assert!(before.elapsed() <= SILENCE_MAX);
    }
}
