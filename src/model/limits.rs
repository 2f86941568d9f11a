//! How large may be what is kept, where a use case needs to know: imports and merges make memories without a request, and
//! the command line makes accounts. Requests are checked by `memsync.v1.limits`; a test in `grpc/` holds the two equal.

/// Characters of an id or a name, at most.
pub const MAX_NAME_CHARS: usize = 128;
/// Bytes of a memory's text, at most.
pub const MAX_TEXT_BYTES: usize = 32 << 10;
/// Bytes of a memory's metadata as JSON, at most.
pub const MAX_METADATA_BYTES: usize = 16 << 10;
/// Categories of a memory, at most.
pub const MAX_CATEGORIES: usize = 3;
/// Bytes of an e-mail address, at most.
pub const MAX_EMAIL_BYTES: usize = 254;
/// Characters of a password, at least.
pub const MIN_PASSWORD_CHARS: usize = 12;
/// Characters of a password, at most.
pub const MAX_PASSWORD_CHARS: usize = 256;
/// Redirect URIs of a program, at most.
pub const MAX_REDIRECT_URIS: usize = 10;
/// Bytes of a redirect URI, at most.
pub const MAX_URI_BYTES: usize = 2048;
