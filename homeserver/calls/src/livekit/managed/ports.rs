use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use super::EmbeddedTurn;

/// Where free ports are looked for: below the range out of which systems give ports to outgoing connections, one of
/// which might otherwise take the port while the SFU is being restarted.
const FREE: std::ops::Range<u16> = 20_000..32_000;
/// Ports that are tried; on a machine where half of them are taken this fails once in a million times.
const ATTEMPTS: usize = 20;

/// The SFU's ports; 0 stands for one that is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SfuPorts {
    /// Signalling and administration, on this machine only.
    pub signal: u16,
    /// Media by TCP, for networks that let no UDP through.
    pub rtc_tcp: u16,
    /// Media by UDP.
    pub rtc_udp: UdpPorts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UdpPorts {
    /// All media by one port.
    One(u16),
    /// A port for each transport, from the first to the last.
    Range(u16, u16),
}

/// A port that is not to be had.
#[derive(Debug)]
pub struct TakenPort {
    /// The setting that names it.
    pub setting: &'static str,
    pub port: u16,
    pub cause: std::io::Error,
}

impl std::fmt::Display for TakenPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "port {} ({}): {}", self.port, self.setting, self.cause)
    }
}

impl SfuPorts {
    /// Puts a port in the place of each 0: the one of last time, if it `is_ours` already or is free, or another.
    /// `None` if no free one was found.
    pub(super) fn settle(self, last: Option<Self>, is_ours: bool) -> Option<Self> {
        let usable = |port: u16, bind: Bind| port != 0 && (is_ours || bind(port).is_ok());
        let settle = |wanted: u16, last: Option<u16>, bind: Bind| match (wanted, last) {
            (0, Some(last)) if usable(last, bind) => Some(last),
            (0, _) => find_free(bind),
            (wanted, _) => Some(wanted),
        };
        let last_udp = last.and_then(|last| match last.rtc_udp {
            UdpPorts::One(port) => Some(port),
            UdpPorts::Range(..) => None,
        });
        Some(Self {
            signal: settle(self.signal, last.map(|last| last.signal), bind_local)?,
            rtc_tcp: settle(self.rtc_tcp, last.map(|last| last.rtc_tcp), bind_tcp)?,
            rtc_udp: match self.rtc_udp {
                UdpPorts::One(port) => UdpPorts::One(settle(port, last_udp, bind_udp)?),
                range @ UdpPorts::Range(..) => range,
            },
        })
    }

    /// Those that somebody has. Of a range the SFU takes single ports as it needs them, and passes over those of others.
    pub fn taken(&self, turn: Option<&EmbeddedTurn>) -> Vec<TakenPort> {
        let mut ports: Vec<(&'static str, u16, Bind)> = vec![
            ("calls.livekit.port", self.signal, bind_local),
            ("calls.livekit.rtc_tcp_port", self.rtc_tcp, bind_tcp),
        ];
        if let UdpPorts::One(port) = self.rtc_udp {
            ports.push(("calls.livekit.rtc_udp_ports", port, bind_udp));
        }
        if let Some(turn) = turn {
            ports.push(("calls.livekit.turn.udp_port", turn.udp_port, bind_udp));
            ports.push(("calls.livekit.turn.tls_port", turn.tls_port, bind_tcp));
        }
        // 0 is always free: either it is not used, or the system chooses.
        let tried = ports
            .into_iter()
            .filter_map(|(setting, port, bind)| match bind(port) {
                Ok(()) => None,
                Err(cause) => Some(TakenPort { setting, port, cause }),
            });
        tried.collect()
    }

    /// How many of a range's ports somebody has, and how many there are.
    pub fn range_in_use(&self) -> Option<(usize, usize)> {
        let UdpPorts::Range(first, last) = self.rtc_udp else {
            return None;
        };
        let taken = (first..=last).filter(|port| bind_udp(*port).is_err()).count();
        Some((taken, (first..=last).count()))
    }
}

/// Opens a port and closes it at once.
type Bind = fn(u16) -> std::io::Result<()>;

fn bind_local(port: u16) -> std::io::Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop)
}

fn bind_tcp(port: u16) -> std::io::Result<()> {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).map(drop)
}

fn bind_udp(port: u16) -> std::io::Result<()> {
    UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).map(drop)
}

fn find_free(bind: Bind) -> Option<u16> {
    let tried = std::iter::repeat_with(|| rand::random_range(FREE)).take(ATTEMPTS);
    tried.into_iter().find(|port| bind(*port).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE_PORTS: SfuPorts = SfuPorts {
        signal: 0,
        rtc_tcp: 0,
        rtc_udp: UdpPorts::One(0),
    };

    #[test]
    fn free_ports_stay_what_they_were() {
        let first = FREE_PORTS.settle(None, false).unwrap();
        assert!(first.taken(None).is_empty(), "{first:?}");
        assert_eq!(FREE_PORTS.settle(Some(first), false), Some(first));
    }

    #[test]
    fn a_port_that_somebody_has_taken_is_replaced_unless_it_is_our_own_sfu_that_has_it() {
        let first = FREE_PORTS.settle(None, false).unwrap();
        let _taken = TcpListener::bind(("127.0.0.1", first.signal)).unwrap();
        let second = FREE_PORTS.settle(Some(first), false).unwrap();
        assert_ne!(second.signal, first.signal);
        assert_eq!(second.rtc_tcp, first.rtc_tcp);
        assert_eq!(FREE_PORTS.settle(Some(first), true), Some(first));
    }

    #[test]
    fn a_port_that_is_written_is_kept_and_told_of_if_it_is_taken() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let wanted = SfuPorts {
            signal: port,
            ..FREE_PORTS
        };
        let settled = wanted.settle(None, false).unwrap();
        assert_eq!(settled.signal, port);
        let told = settled.taken(None);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].setting, told[0].port), ("calls.livekit.port", port));
    }
}
