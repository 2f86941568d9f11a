//! A proxy before a database that delays, holds up and cuts what goes through it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Each piece arrives so much later.
    Slow(Duration),
    /// Nothing arrives, and nobody is told.
    Stalled,
    /// Connections are cut, and new ones too.
    Cut,
    /// What is asked arrives, and the connection is cut before the answer does.
    Unanswered,
}

pub struct Proxy {
    pub port: u16,
    way: watch::Sender<Way>,
}

impl Proxy {
    /// Before a server on this port of the machine.
    pub async fn before(upstream: u16, way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (way, watched) = watch::channel(way);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, upstream, watched.clone()));
            }
        });
        Self { port, way }
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

/// Ends with either side, or when the way is cut; both sockets are closed then.
async fn serve(client: TcpStream, upstream: u16, mut way: watch::Receiver<Way>) {
    let mut is_cut = way.clone();
    let both = async {
        way.wait_for(|way| *way != Way::Stalled).await.ok();
        let server = TcpStream::connect(("127.0.0.1", upstream)).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let (up, down) = (way.clone(), way.clone());
        tokio::select! {
            ended = carry(&mut from_client, &mut to_server, up, None) => ended,
            ended = carry(&mut from_server, &mut to_client, down, Some(Way::Unanswered)) => ended,
        }
    };
    tokio::select! {
        // One end or the other has had enough: what the test wants to know is what the server makes of it.
        _ = both => {}
        _ = is_cut.wait_for(|way| *way == Way::Cut) => {}
    }
}

/// Ends with either side, or when something arrives that is to go the way `cut_by`.
async fn carry(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut way: watch::Receiver<Way>,
    cut_by: Option<Way>,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        let now = *way.borrow();
        if cut_by == Some(now) {
            return Ok(());
        }
        if let Way::Slow(delay) = now {
            tokio::time::sleep(delay).await;
        }
        way.wait_for(|way| *way != Way::Stalled).await.ok();
        to.write_all(&buffer[..length]).await?;
    }
}
