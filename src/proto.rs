//! Code and descriptors made from `proto/` by `build.rs`.

/// The package `memsync.v1`.
#[expect(clippy::allow_attributes, reason = "generated code")]
pub mod v1 {
    tonic::include_proto!("memsync.v1");
}

/// Every descriptor, with comments and custom options: what reflection and REST read.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/memsync.fds.bin"));
