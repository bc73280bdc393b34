use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Mutex;

/// A free port for a server whose name holds it, so that it must be known before the server starts and stay the same
/// when it starts again.
///
/// Below the range out of which the system gives ports to everybody else, and by chance, so that test processes that
/// run side by side do not meet.
pub fn free_port() -> u16 {
    static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut taken = TAKEN.lock().unwrap();
    loop {
        let port = rand::random_range(10_000..32_000);
        if !taken.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            taken.insert(port);
            return port;
        }
    }
}
