//! Hears from the kernel that the network has changed.

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};
use tokio::io::unix::AsyncFd;

use super::readiness;
use super::wake::{News, Wake};

/// Of links, addresses and routes, as linux/rtnetlink.h numbers the groups.
const GROUPS: u32 = LINK | ADDRESS_4 | ROUTE_4 | ADDRESS_6 | ROUTE_6;
const LINK: u32 = 0x1;
const ADDRESS_4: u32 = 0x10;
const ROUTE_4: u32 = 0x40;
const ADDRESS_6: u32 = 0x100;
const ROUTE_6: u32 = 0x400;

fn open() -> io::Result<AsyncFd<OwnedFd>> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    // Without a protocol it is the one of routes.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
    readiness::to_read(socket)
}

/// Tells of each change. What the messages say does not matter: whether the server is there shows by asking.
pub(super) async fn listen(wake: Wake) {
    let socket = match open() {
        Ok(socket) => socket,
        Err(error) => {
            tracing::info!(%error, "changes of the network are not heard of: a server that was away is asked again by the clock alone");
            return;
        }
    };
    let mut message = [0; 4096];
    loop {
        let Ok(mut ready) = socket.readable().await else {
            return;
        };
        match ready.try_io(|socket| Ok(recv(socket, &mut message, RecvFlags::empty())?)) {
            Ok(Ok(_)) => wake.tell(News::Network),
            // More came than was taken, which is news as well.
            Ok(Err(error))
                if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) =>
            {
                wake.tell(News::Network);
            }
            Ok(Err(error)) => {
                tracing::info!(%error, "changes of the network are not heard of any more");
                return;
            }
            Err(_would_block) => {}
        }
    }
}
