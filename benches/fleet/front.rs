//! The one address of all servers, as a load balancer gives it: each connection goes to a server that takes it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// Hands connections on.
pub struct Front {
    pub address: SocketAddr,
    servers: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Front {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let servers = Arc::new(Mutex::new(Vec::new()));
        let known = Arc::clone(&servers);
        tokio::spawn(async move {
            let mut turn = 0;
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    continue;
                };
                let mut servers: Vec<SocketAddr> = known.lock().unwrap().clone();
                let count = servers.len().max(1);
                servers.rotate_left(turn % count);
                turn += 1;
                tokio::spawn(hand_on(stream, servers));
            }
        });
        Self { address, servers }
    }

    /// From now on connections go to these.
    pub fn lead_to(&self, servers: Vec<SocketAddr>) {
        *self.servers.lock().unwrap() = servers;
    }
}

async fn hand_on(mut stream: TcpStream, servers: Vec<SocketAddr>) {
    let _ = stream.set_nodelay(true);
    for server in servers {
        if let Ok(mut onward) = TcpStream::connect(server).await {
            let _ = onward.set_nodelay(true);
            // Both ends see that it has ended.
            let _ = copy_bidirectional(&mut stream, &mut onward).await;
            return;
        }
    }
}
