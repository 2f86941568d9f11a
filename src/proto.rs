//! Code and descriptors made from `proto/` by `build.rs`.

mod field;

pub use field::Field;

/// The package `memsync.v1`. Each field of a message also has a constant, such as `StoreMemoriesRequest::MESSAGES`.
#[expect(clippy::allow_attributes, reason = "generated code")]
pub mod v1 {
    use super::Field;

    tonic::include_proto!("memsync.v1");
    include!(concat!(env!("OUT_DIR"), "/fields.rs"));
}

/// Every descriptor, with comments and custom options: what reflection and REST read.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/memsync.fds.bin"));
