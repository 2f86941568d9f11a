//! What reflection tells: the services' descriptors, with the words of enums beside the names of their values.
//!
//! A client that writes JSON by reflection, such as grpcurl, takes the names of the descriptors alone. So the enums of
//! requests have an alias for each word that REST takes and that errors name: `"role": "user"` works there too.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};
use prost_types::{EnumDescriptorProto, EnumValueDescriptorProto, FileDescriptorProto, FileDescriptorSet};
use tonic_reflection::server::{Builder, Error};

use crate::proto::DESCRIPTORS;

const PACKAGE: &str = "memsync.v1";
/// How the value for "none" ends; what comes before it begins every other value's name.
const UNSPECIFIED: &str = "UNSPECIFIED";

/// A reflection service to be built: ours, the health check, and the details that errors carry.
pub(super) fn builder(descriptors: &DescriptorPool) -> Result<Builder<'static>, Error> {
    Ok(Builder::configure()
        .register_file_descriptor_set(with_words(descriptors)?)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET))
}

fn with_words(descriptors: &DescriptorPool) -> Result<FileDescriptorSet, Error> {
    let mut set = FileDescriptorSet::decode(DESCRIPTORS)?;
    let requests = enums_of_requests(descriptors);
    let files = || set.file.iter().filter(|file| file.package() == PACKAGE);
    // Values of enums share one scope with whatever else the package declares.
    let mut taken: BTreeSet<String> = files().flat_map(names).collect();
    for file in set.file.iter_mut().filter(|file| file.package() == PACKAGE) {
        let enums = file.enum_type.iter_mut();
        for enumeration in enums.filter(|enumeration| requests.contains(enumeration.name())) {
            add_words(enumeration, &mut taken);
        }
    }
    Ok(set)
}

fn names(file: &FileDescriptorProto) -> Vec<String> {
    let messages = file.message_type.iter().map(|message| message.name());
    let services = file.service.iter().map(|service| service.name());
    let extensions = file.extension.iter().map(|extension| extension.name());
    let enums = file.enum_type.iter();
    let enums = enums.flat_map(|one| one.value.iter().map(|value| value.name()).chain([one.name()]));
    let all = messages.chain(services).chain(extensions).chain(enums);
    all.map(str::to_owned).collect()
}

fn add_words(enumeration: &mut EnumDescriptorProto, taken: &mut BTreeSet<String>) {
    let first = enumeration.value.first().map(EnumValueDescriptorProto::name);
    let Some(prefix) = first.and_then(|name| name.strip_suffix(UNSPECIFIED)).map(str::to_owned) else {
        return;
    };
    let word = |value: &EnumValueDescriptorProto| {
        let word = value.name().strip_prefix(&prefix).filter(|word| *word != UNSPECIFIED)?;
        Some(EnumValueDescriptorProto {
            name: Some(word.to_ascii_lowercase()),
            number: value.number,
            options: None,
        })
    };
    let words = enumeration.value.iter().filter_map(word);
    let words: Vec<_> = words.filter(|alias| taken.insert(alias.name().to_owned())).collect();
    if !words.is_empty() {
        enumeration.options.get_or_insert_default().allow_alias = Some(true);
        enumeration.value.extend(words);
    }
}

fn enums_of_requests(descriptors: &DescriptorPool) -> BTreeSet<String> {
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    let services = descriptors
        .services()
        .filter(|service| service.package_name() == PACKAGE);
    for service in services {
        for method in service.methods() {
            collect(&method.input(), &mut seen, &mut found);
        }
    }
    found
}

/// Adds the enums of a message by name. `seen` holds the messages looked at.
fn collect(message: &MessageDescriptor, seen: &mut BTreeSet<String>, found: &mut BTreeSet<String>) {
    if !seen.insert(message.full_name().to_owned()) {
        return;
    }
    for field in message.fields() {
        match field.kind() {
            Kind::Message(inner) => collect(&inner, seen, found),
            Kind::Enum(enumeration) if enumeration.package_name() == PACKAGE => {
                found.insert(enumeration.name().to_owned());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_request_is_an_alias_but_one_that_two_enums_share() {
        let descriptors = DescriptorPool::decode(DESCRIPTORS).expect("compiled descriptors");
        let set = with_words(&descriptors).expect("a descriptor set");
        let told = DescriptorPool::from_file_descriptor_set(set).expect("still descriptors");
        let mut missing = Vec::new();
        for name in enums_of_requests(&descriptors) {
            let enumeration = told.get_enum_by_name(&format!("{PACKAGE}.{name}")).expect("declared");
            let names: Vec<String> = enumeration.values().map(|value| value.name().to_owned()).collect();
            let first = names.first().and_then(|first| first.strip_suffix(UNSPECIFIED));
            let prefix = first.expect("a value for none");
            for word in names.iter().filter_map(|name| name.strip_prefix(prefix)) {
                if word != UNSPECIFIED && !names.contains(&word.to_ascii_lowercase()) {
                    missing.push(format!("{name}.{word}"));
                }
            }
        }
        assert_eq!(missing, ["BioStyle.PROFESSIONAL"]);
    }
}
