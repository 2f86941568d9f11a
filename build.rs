//! Compiles `proto/` in pure Rust (no `protoc`), and writes the descriptors that reflection and REST read and the limits
//! that requests are checked by. Names the commit that is built.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use prost::Message;
use protox::prost_reflect::{DescriptorPool, ExtensionDescriptor, FieldDescriptor, Kind, Value};

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
    let fields = fields(&DescriptorPool::decode(&descriptors[..])?)?;
    fs::write(out.join("fields.rs"), fields)?;

    let descriptor_set = prost_types::FileDescriptorSet::decode(&descriptors[..])?;
    tonic_prost_build::configure()
        .build_transport(false)
        // In order, so that an answer is the same each time.
        .btree_map(".")
        .compile_fds(descriptor_set)?;
    name_version()
}

/// A constant `Message::FIELD` for each field: its name and what `memsync.v1.limits` declares of it.
fn fields(descriptors: &DescriptorPool) -> Result<String, Box<dyn std::error::Error>> {
    let option = "memsync.v1.limits";
    let option = descriptors.get_extension_by_name(option).ok_or(option)?;
    let mut code = String::new();
    for message in descriptors.all_messages() {
        if message.package_name() != "memsync.v1" || message.parent_message().is_some() {
            continue;
        }
        writeln!(code, "impl {} {{", message.name())?;
        for field in message.fields() {
            let (name, limits) = (field.name(), limits(&field, &option)?);
            let value = format!("Field {{ {limits}..Field::named({name:?}) }}");
            writeln!(code, "    /// The field `{name}`.")?;
            writeln!(
                code,
                "    pub const {}: &'static Field = &{value};",
                name.to_uppercase()
            )?;
        }
        writeln!(code, "}}")?;
    }
    Ok(code)
}

/// The limits of a field, and the words of its enum, as members of `crate::proto::Field`.
fn limits(field: &FieldDescriptor, option: &ExtensionDescriptor) -> Result<String, Box<dyn std::error::Error>> {
    let mut members = String::new();
    let options = field.options();
    let declared = options.get_extension(option);
    for (limit, value) in declared.as_message().into_iter().flat_map(|declared| declared.fields()) {
        let value = match (value, limit.kind()) {
            (Value::U64(number), _) => number.to_string(),
            (Value::I64(number), _) => number.to_string(),
            (Value::EnumNumber(number), Kind::Enum(forms)) => {
                let form = forms.get_value(*number).ok_or("no such form")?;
                let word = form.name().strip_prefix("TEXT_FORM_").unwrap_or(form.name());
                format!("TextForm::{}", upper_camel(word))
            }
            _ => return Err(format!("{}: can't compile {}", field.full_name(), limit.name()).into()),
        };
        write!(members, "{}: {value}, ", limit.name())?;
    }
    if let Kind::Enum(enumeration) = field.kind() {
        let unspecified = enumeration.default_value();
        let prefix = unspecified.name().trim_end_matches("UNSPECIFIED");
        let values = enumeration.values().filter(|value| *value != unspecified);
        let words: Vec<String> = values
            .map(|value| value.name().trim_start_matches(prefix).to_lowercase())
            .collect();
        write!(members, "words: &{words:?}, ")?;
    }
    Ok(members)
}

fn upper_camel(name: &str) -> String {
    let word = |word: &str| word[..1].to_owned() + &word[1..].to_lowercase();
    name.split('_').map(word).collect()
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
