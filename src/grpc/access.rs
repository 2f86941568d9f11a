//! Who may call which RPC and from which allowance, read from the options `memsync.v1.access` and
//! `memsync.v1.rate_limit_class` beside each declaration.

use std::collections::HashMap;
use std::sync::Arc;

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ReflectMessage, Value};

use crate::model::Scope;
use crate::proto::v1 as pb;
use crate::services::RateLimitClass;

/// Who may call an RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anyone.
    Public,
    /// Any authenticated caller.
    Authenticated,
    /// A caller with this scope.
    Scope(Scope),
    /// A signed-in person, never a key.
    SignedIn,
}

/// What is declared of an RPC.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// Who may call it.
    pub(super) access: Access,
    /// Which allowance it is taken from, beside the one for all requests.
    pub(super) class: RateLimitClass,
    /// Its name.
    pub(super) rpc: Arc<str>,
    /// Whether it takes a stream.
    pub(super) takes_stream: bool,
}

/// The declarations can't be served.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// An RPC does not say who may call it.
    #[error("{0} has no valid option memsync.v1.access")]
    Undeclared(String),
    /// Reflection refuses the descriptors.
    #[error("reflection: {0}")]
    Reflection(#[source] tonic_reflection::server::Error),
}

/// The rule of every RPC of the package, by its path `/memsync.v1.Service/Method`.
#[derive(Debug)]
pub(super) struct AccessTable(HashMap<String, Rule>);

impl AccessTable {
    pub(super) fn read(descriptors: &DescriptorPool) -> Result<Self, AccessError> {
        let services = descriptors
            .services()
            .filter(|service| service.package_name() == "memsync.v1");
        let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
        let rule = |method: MethodDescriptor| {
            let access =
                declared_access(&method).ok_or_else(|| AccessError::Undeclared(method.full_name().to_owned()))?;
            let rule = Rule {
                access,
                class: rate_limit_class(&method),
                rpc: method.name().into(),
                takes_stream: method.is_client_streaming(),
            };
            Ok((
                format!("/{}/{}", method.parent_service().full_name(), method.name()),
                rule,
            ))
        };
        Ok(Self(methods.map(rule).collect::<Result<_, _>>()?))
    }

    /// The rule of a path; nothing for one that is no RPC of the package.
    pub(super) fn rule(&self, path: &str) -> Option<&Rule> {
        self.0.get(path)
    }
}

/// Who may call an RPC, as it is declared.
pub(crate) fn declared_access(method: &MethodDescriptor) -> Option<Access> {
    let option = method.parent_pool().get_extension_by_name("memsync.v1.access")?;
    let options: DynamicMessage = method.options();
    let access = options.get_extension(&option);
    let access = access.as_message()?;
    let rule = access.descriptor().oneofs().next()?;
    let (field, value) = access
        .fields()
        .find(|(field, _)| field.containing_oneof().is_some_and(|o| o == rule))?;
    match (field.name(), value) {
        ("public", Value::Bool(true)) => Some(Access::Public),
        ("authenticated", Value::Bool(true)) => Some(Access::Authenticated),
        ("signed_in", Value::Bool(true)) => Some(Access::SignedIn),
        ("scope", Value::String(scope)) => scope.parse().ok().map(Access::Scope),
        _ => None,
    }
}

fn rate_limit_class(method: &MethodDescriptor) -> RateLimitClass {
    let option = method
        .parent_pool()
        .get_extension_by_name("memsync.v1.rate_limit_class");
    let number = option.and_then(|option| method.options().get_extension(&option).as_enum_number());
    match number.map(pb::RateLimitClass::try_from) {
        Some(Ok(pb::RateLimitClass::Search)) => RateLimitClass::Search,
        Some(Ok(pb::RateLimitClass::Integration)) => RateLimitClass::Integration,
        Some(Ok(pb::RateLimitClass::Unspecified) | Err(_)) | None => RateLimitClass::General,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::DESCRIPTORS;

    #[test]
    fn every_rpc_says_who_may_call_it() {
        let descriptors = DescriptorPool::decode(DESCRIPTORS).expect("compiled descriptors");
        let table = AccessTable::read(&descriptors).expect("every RPC has a rule");
        let rule = |path: &str| table.rule(path).map(|rule| (rule.access, rule.class));
        assert_eq!(
            rule("/memsync.v1.MemoryService/StoreMemories"),
            Some((Access::Scope(Scope::MemoriesWrite), RateLimitClass::General))
        );
        assert_eq!(
            rule("/memsync.v1.MemoryService/SearchMemories"),
            Some((Access::Scope(Scope::MemoriesRead), RateLimitClass::Search))
        );
        assert_eq!(
            rule("/memsync.v1.AuthService/Login"),
            Some((Access::Public, RateLimitClass::General))
        );
        assert_eq!(rule("/memsync.v1.MemoryService/Nothing"), None);
    }
}
