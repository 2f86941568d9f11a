//! What the descriptors say of routes, and calls of any RPC without its generated types.

use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::Sender;

/// One `google.api.http` binding.
pub struct Binding {
    pub verb: String,
    pub template: String,
    pub response_body: String,
}

pub fn bindings(method: &MethodDescriptor) -> Vec<Binding> {
    let http = method.parent_pool().get_extension_by_name("google.api.http").unwrap();
    let options = method.options();
    if !options.has_extension(&http) {
        return Vec::new();
    }
    let rule = options.get_extension(&http);
    let rule = rule.as_message().unwrap();
    let more = rule.get_field_by_name("additional_bindings").unwrap();
    let more = more
        .as_list()
        .unwrap()
        .iter()
        .map(|binding| binding.as_message().unwrap());
    std::iter::once(rule).chain(more).map(binding).collect()
}

fn binding(rule: &DynamicMessage) -> Binding {
    let text = |name: &str| {
        rule.get_field_by_name(name)
            .unwrap()
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let verb = ["get", "put", "post", "delete", "patch"]
        .into_iter()
        .find(|verb| rule.has_field_by_name(verb))
        .unwrap();
    Binding {
        verb: verb.to_uppercase(),
        template: text(verb),
        response_body: text("response_body"),
    }
}

/// Who may call an RPC, as its declaration says.
#[derive(Clone, Debug, PartialEq)]
pub enum Access {
    Public,
    Authenticated,
    SignedIn,
    Scope(String),
}

pub fn access(method: &MethodDescriptor) -> Access {
    let option = method.parent_pool().get_extension_by_name("memsync.v1.access").unwrap();
    let options = method.options();
    let access = options.get_extension(&option);
    let mut rules = access.as_message().unwrap().fields();
    let rule = rules
        .next()
        .map(|(field, value)| (field.name().to_owned(), value.clone()));
    match rule {
        Some((name, Value::Bool(true))) if name == "public" => Access::Public,
        Some((name, Value::Bool(true))) if name == "authenticated" => Access::Authenticated,
        Some((name, Value::Bool(true))) if name == "signed_in" => Access::SignedIn,
        Some((_, Value::String(scope))) => Access::Scope(scope),
        rule => panic!("{} does not say who may call it: {rule:?}", method.full_name()),
    }
}

/// The HTTP status of a success.
pub fn success_status(method: &MethodDescriptor) -> u16 {
    let option = method.parent_pool().get_extension_by_name("memsync.v1.success_status");
    let status = method.options().get_extension(&option.unwrap()).as_i32().unwrap();
    if status == 0 {
        200
    } else {
        u16::try_from(status).unwrap()
    }
}

/// Calls an RPC with one encoded message, and takes one back.
pub async fn call_raw(
    channel: Channel,
    metadata: &[(&str, &str)],
    method: &MethodDescriptor,
    message: Vec<u8>,
) -> Result<Vec<u8>, Status> {
    let channel = InterceptedService::new(channel, Sender::new(metadata));
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let request = Request::new(tokio_stream::once(message));
    let answers = client.streaming(request, path.parse().unwrap(), Raw).await?;
    let mut answers = answers.into_inner();
    let answer = answers.message().await?.unwrap_or_default();
    assert!(answers.message().await?.is_none(), "one answer");
    Ok(answer)
}

/// Messages as they stand on the wire.
#[derive(Default)]
pub struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = bytes::Buf::remaining(buffer);
        Ok(Some(bytes::Buf::copy_to_bytes(buffer, length).to_vec()))
    }
}
