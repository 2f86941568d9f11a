//! A gRPC client with a key, and the requests that are measured.

use memsync::proto::v1::auth_service_client::AuthServiceClient;
use memsync::proto::v1::memory_service_client::MemoryServiceClient;
use memsync::proto::v1::{
    BatchDeleteMemoriesRequest, GetMemoryRequest, ImportMemoriesRequest, ImportMemoriesResponse, ListMemoriesRequest,
    ListMemoriesResponse, Message, Role, SearchMemoriesRequest, SearchMemoriesResponse, StoreMemoriesRequest,
    StoreMemoriesResponse, UpdateMemoryRequest, WhoAmIRequest, WhoAmIResponse,
};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Bytes of an import that are sent at one time.
const IMPORT_PIECE: usize = 256 << 10;

/// A client; clones share the connection.
#[derive(Clone)]
pub struct Grpc {
    pub channel: Channel,
    pub key: MetadataValue<Ascii>,
}

impl Grpc {
    pub fn keyed<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("x-api-key", self.key.clone());
        request
    }

    fn memories(&self) -> MemoryServiceClient<Channel> {
        MemoryServiceClient::new(self.channel.clone())
    }

    pub async fn who_am_i(&self) -> Result<WhoAmIResponse, Status> {
        let mut auth = AuthServiceClient::new(self.channel.clone());
        Ok(auth.who_am_i(self.keyed(WhoAmIRequest {})).await?.into_inner())
    }

    /// Ten memories at most, reranked.
    pub async fn search(&self, user_id: String, query: String) -> Result<SearchMemoriesResponse, Status> {
        let request = SearchMemoriesRequest {
            query,
            limit: Some(10),
            rerank: Some(true),
            user_id: Some(user_id),
            ..SearchMemoriesRequest::default()
        };
        Ok(self.memories().search_memories(self.keyed(request)).await?.into_inner())
    }

    /// The newest twenty.
    pub async fn list(&self, user_id: String) -> Result<ListMemoriesResponse, Status> {
        let request = ListMemoriesRequest {
            page_size: Some(20),
            user_id: Some(user_id),
            ..ListMemoriesRequest::default()
        };
        Ok(self.memories().list_memories(self.keyed(request)).await?.into_inner())
    }

    pub async fn get(&self, user_id: String, memory_id: String) -> Result<(), Status> {
        let request = GetMemoryRequest {
            memory_id,
            user_id: Some(user_id),
        };
        self.memories().get_memory(self.keyed(request)).await?;
        Ok(())
    }

    /// A turn of a conversation: what the person says, and what the assistant answers.
    pub async fn store(
        &self,
        user_id: String,
        said: String,
        idempotency_key: Option<&str>,
    ) -> Result<StoreMemoriesResponse, Status> {
        let message = |role: Role, content: String| Message {
            role: role.into(),
            content,
            ..Message::default()
        };
        let mut request = self.keyed(StoreMemoriesRequest {
            messages: vec![
                message(Role::User, said),
                message(Role::Assistant, super::sentences::ANSWER.to_owned()),
            ],
            agent_id: "bench".to_owned(),
            thread_id: "told".to_owned(),
            source: "bench".to_owned(),
            user_id: Some(user_id),
            ..StoreMemoriesRequest::default()
        });
        if let Some(key) = idempotency_key {
            let key = key.parse().map_err(|_| Status::invalid_argument("idempotency-key"))?;
            request.metadata_mut().insert("idempotency-key", key);
        }
        Ok(self.memories().store_memories(request).await?.into_inner())
    }

    pub async fn update(&self, user_id: String, memory_id: String, content: String) -> Result<(), Status> {
        let request = UpdateMemoryRequest {
            memory_id,
            user_id: Some(user_id),
            content: Some(content),
            ..UpdateMemoryRequest::default()
        };
        self.memories().update_memory(self.keyed(request)).await?;
        Ok(())
    }

    /// Deletes without a backup.
    pub async fn delete(&self, user_id: String, memory_ids: Vec<String>) -> Result<(), Status> {
        let request = BatchDeleteMemoriesRequest {
            memory_ids,
            user_id: Some(user_id),
            backup: Some(false),
            ..BatchDeleteMemoriesRequest::default()
        };
        self.memories().batch_delete_memories(self.keyed(request)).await?;
        Ok(())
    }

    /// Takes in lines of `docs/EXPORT_FORMAT.md`.
    pub async fn import(&self, lines: &str) -> Result<ImportMemoriesResponse, Status> {
        let pieces = lines
            .as_bytes()
            .chunks(IMPORT_PIECE)
            .map(|piece| ImportMemoriesRequest {
                chunk: piece.to_vec(),
                ..ImportMemoriesRequest::default()
            });
        let pieces = tokio_stream::iter(pieces.collect::<Vec<_>>());
        Ok(self.memories().import_memories(self.keyed(pieces)).await?.into_inner())
    }
}
