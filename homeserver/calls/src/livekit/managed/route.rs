use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// The address of this machine from which packets to `peer` go out, and to which its answers come: `peer` itself if that is one
/// of the machine's own. Nothing is sent to find out. `None` if no way leads there.
pub fn address_towards(peer: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match peer {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // Any port will do: a datagram socket connects without a word.
    socket.connect((peer, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_this_machine_stays_here() {
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(address_towards(local), Some(local));
        // All of 127.0.0.0/8 is the machine's own.
        let another = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53));
        assert!(address_towards(another).is_some_and(|address| address.is_loopback()));
    }
}
