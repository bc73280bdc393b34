use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A wire to a server that can be made bad: whoever is told to find the server at this port talks to it through here.
#[derive(Debug)]
pub struct Link {
    port: u16,
    target: Arc<watch::Sender<u16>>,
    weather: Arc<watch::Sender<Weather>>,
    accepting: JoinHandle<()>,
}

/// How the wire does. The default is well.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Weather {
    /// Nothing passes: connections end, and new ones are closed at once.
    pub is_cut: bool,
    /// Everything that is sent waits for up to so long, by chance, so that connections overtake each other.
    pub delay_max: Duration,
    /// How likely it is for each thing sent that it is lost and its connection with it.
    pub loss: f64,
}

impl Link {
    /// A wire without a server at its end, whose port is known before the server's.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let target = Arc::new(watch::Sender::new(0));
        let weather = Arc::new(watch::Sender::new(Weather::default()));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&target), Arc::clone(&weather)));
        Self {
            port,
            target,
            weather,
            accepting,
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ties the other end to a server's port.
    pub fn lead_to(&self, port: u16) {
        self.target.send_replace(port);
    }

    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    pub fn cut(&self) {
        self.set(Weather {
            is_cut: true,
            ..Weather::default()
        });
    }

    pub fn heal(&self) {
        self.set(Weather::default());
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn accept(
    listener: TcpListener,
    target: Arc<watch::Sender<u16>>,
    weather: Arc<watch::Sender<Weather>>,
) {
    while let Ok((near, _)) = listener.accept().await {
        let (port, weather) = (*target.borrow(), Arc::clone(&weather));
        tokio::spawn(async move {
            let mut watching = weather.subscribe();
            if watching.borrow_and_update().is_cut {
                return;
            }
            let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else {
                return;
            };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            tokio::select! {
                () = carry_both_ways(near, far, &weather) => {}
                _ = watching.wait_for(|weather| weather.is_cut) => {}
            }
        });
    }
}

/// Ends when a direction is lost or both have ended; both connections end with it.
async fn carry_both_ways(near: TcpStream, far: TcpStream, weather: &watch::Sender<Weather>) {
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    let _ = tokio::try_join!(
        carry(near_read, far_write, weather),
        carry(far_read, near_write, weather)
    );
}

/// An error is a lost connection.
async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    weather: &watch::Sender<Weather>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        let now = *weather.borrow();
        if now.loss > 0.0 && rand::random_bool(now.loss) {
            return Err(std::io::ErrorKind::ConnectionReset.into());
        }
        if !now.delay_max.is_zero() {
            tokio::time::sleep(now.delay_max.mul_f64(rand::random())).await;
        }
        to.write_all(&buffer[..length]).await?;
    }
}
