use crate::network::{Chatter, Network, assert_whole, common_room};

const KILLS: usize = 10;
/// Acknowledged messages between two kills, so that every life of a server does some work.
const ACKNOWLEDGED_PER_LIFE: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_on_either_side_lose_nothing_that_was_acknowledged() {
    let network = Network::start(2).await;
    let mut people = network.people().await;
    people.extend(network.people().await);
    let room = common_room(&people).await;
    let chatter = Chatter::start(&people, &room);
    for _ in 0..KILLS {
        chatter.goes_on(ACKNOWLEDGED_PER_LIFE).await;
        // At any moment of what it does just now, and sometimes both.
        let victims = rand::random_range(1..=3_u8);
        for (index, server) in network.servers.iter().enumerate() {
            if victims & (1 << index) != 0 {
                server.kill();
            }
        }
        for (index, server) in network.servers.iter().enumerate() {
            if victims & (1 << index) != 0 {
                server.restart().await;
            }
        }
    }
    chatter.goes_on(ACKNOWLEDGED_PER_LIFE).await;
    let acknowledged = chatter.end().await;
    assert_whole(&room, &people, &acknowledged).await;
    // Once more from cold memory.
    for server in &network.servers {
        server.kill();
        server.restart().await;
    }
    assert_whole(&room, &people, &acknowledged).await;
}
