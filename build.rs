//! Compiles `proto/` in pure Rust (no `protoc`) and writes the descriptors that reflection and REST read. Names the commit
//! that is built.

use std::path::{Path, PathBuf};
use std::process::Command;
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
    name_version()
}

/// Sets `MEMSYNC_VERSION`: the package's version, with the commit where this is a clone.
fn name_version() -> Result<(), Box<dyn std::error::Error>> {
    let version = env::var("CARGO_PKG_VERSION")?;
    // A directory above may be a clone of something else.
    let is_clone = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join(".git").exists();
    match git(&["rev-parse", "--short=12", "HEAD"]).filter(|_| is_clone) {
        Some(commit) => println!("cargo:rustc-env=MEMSYNC_VERSION={version} ({commit})"),
        None => println!("cargo:rustc-env=MEMSYNC_VERSION={version}"),
    }
    if !is_clone {
        return Ok(());
    }
    // A commit changes the branch's file, or else the one of packed branches; what names no branch changes HEAD itself.
    let branch = git(&["symbolic-ref", "-q", "HEAD"]);
    for name in ["HEAD", "logs/HEAD", "packed-refs"]
        .into_iter()
        .chain(branch.as_deref())
    {
        // What is watched and not there would be built anew each time.
        if let Some(file) = git(&["rev-parse", "--git-path", name]).filter(|file| Path::new(file).exists()) {
            println!("cargo:rerun-if-changed={file}");
        }
    }
    Ok(())
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let said = said.trim();
    (output.status.success() && !said.is_empty()).then(|| said.to_owned())
}
