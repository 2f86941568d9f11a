//! A request body that is made only when the services ask for it.
//!
//! `transcode` hands it to the in-process call before it reads anything of the client's body.

use std::io;

use axum::body::Body;
use futures::{StreamExt, future, stream};
use tokio::sync::oneshot;

/// Tells when the body is wanted.
#[derive(Debug)]
pub(super) struct Demand {
    wanted: oneshot::Receiver<()>,
    supply: Supply,
}

/// Takes the body. Dropped without one, the body breaks off.
#[derive(Debug)]
pub(super) struct Supply(oneshot::Sender<Body>);

impl Demand {
    /// A body, and its demand.
    pub(super) fn new() -> (Self, Body) {
        let (want, wanted) = oneshot::channel();
        let (supply, supplied) = oneshot::channel::<Body>();
        let made = async move {
            // Whoever does not wait for it does not supply it either.
            let _ = want.send(());
            supplied.await.map(Body::into_data_stream)
        };
        let body = stream::once(made).flat_map(|made| match made {
            Ok(pieces) => pieces.map(|piece| piece.map_err(io::Error::other)).left_stream(),
            Err(_) => stream::once(future::ready(Err(io::ErrorKind::UnexpectedEof.into()))).right_stream(),
        });
        let demand = Self {
            wanted,
            supply: Supply(supply),
        };
        (demand, Body::from_stream(body))
    }

    /// Returns when the body is asked for; never, when it is dropped unasked.
    pub(super) async fn wanted(self) -> Supply {
        match self.wanted.await {
            Ok(()) => self.supply,
            Err(_) => future::pending().await,
        }
    }
}

impl Supply {
    /// Gives the body.
    pub(super) fn send(self, body: Body) {
        // A call that has ended takes no body.
        let _ = self.0.send(body);
    }
}
