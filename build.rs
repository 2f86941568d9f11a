//! Compiles `proto/` in pure Rust (no `protoc`) and writes the descriptors that reflection and REST read.

use std::path::PathBuf;
use std::{env, fs};

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_files([
        "memsync/v1/auth_service.proto",
        "memsync/v1/error_reason.proto",
        "memsync/v1/integration_service.proto",
        "memsync/v1/memory_service.proto",
        "memsync/v1/profile_service.proto",
    ])?;
    // The raw bytes keep custom options such as google.api.http, which prost_types would drop.
    let descriptors = compiler.encode_file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("memsync.fds.bin"), &descriptors)?;

    let descriptor_set = prost_types::FileDescriptorSet::decode(&descriptors[..])?;
    tonic_prost_build::configure()
        .build_transport(false)
        // In order, so that an answer is the same each time.
        .btree_map(".")
        .compile_fds(descriptor_set)?;
    Ok(())
}
