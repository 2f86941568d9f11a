//! Routes that the API names and this version does not serve yet. Whoever calls one is told so, and not that there is no
//! such route.

use http::Method;

/// Each with its verb. Fields of paths have no meaning yet.
pub(super) const PLANNED: [(Method, &str); 26] = [
    (Method::POST, "/v1/integrations/files"),
    (Method::POST, "/integrations/files"),
    (Method::POST, "/v1/integrations/chat"),
    (Method::POST, "/integrations/chat"),
    (Method::POST, "/v1/integrations/social"),
    (Method::POST, "/integrations/social"),
    (Method::POST, "/v1/integrations/index/file"),
    (Method::POST, "/v1/integrations/index/chat"),
    (Method::POST, "/v1/integrations/index/social"),
    (Method::GET, "/v1/integrations"),
    (Method::DELETE, "/v1/integrations/{integration_id}"),
    (Method::GET, "/v1/integrations/{integration_id}/status"),
    (Method::GET, "/integrations/{integration_id}/status"),
    (Method::GET, "/v1/integrations/{integration_id}/events"),
    (Method::POST, "/v1/webhooks"),
    (Method::GET, "/v1/webhooks"),
    (Method::GET, "/v1/webhooks/{webhook_id}"),
    (Method::PATCH, "/v1/webhooks/{webhook_id}"),
    (Method::DELETE, "/v1/webhooks/{webhook_id}"),
    (Method::POST, "/v1/webhooks/{webhook_id}/rotate"),
    (Method::POST, "/v1/webhooks/{webhook_id}/test"),
    (Method::GET, "/v1/webhooks/{webhook_id}/deliveries"),
    (
        Method::POST,
        "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    ),
    (Method::GET, "/v1/events"),
    (Method::GET, "/v1/memories/count"),
    (Method::GET, "/v1/profile/attributes"),
];
