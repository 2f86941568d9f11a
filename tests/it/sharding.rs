//! The schema can be spread over machines by account, as `docs/SCALING.md` tells.

use crate::process::memsync;
use crate::support::Postgres;

/// Tables that every machine has whole: who may come in is found by a key, an address or a token, before the account is
/// known.
const WHOLE: &str = "'users', 'api_keys', 'sessions', 'oauth_clients', 'oauth_codes', 'rate_limits', 'leases', \
                     'sign_in_places', 'master_keys', 'seaql_migrations'";

#[test]
fn everything_that_grows_with_memories_is_keyed_by_account_and_points_nowhere_else() {
    let postgres = Postgres::start_with_vectors();
    let data = tempfile::tempdir().unwrap();
    let url = postgres.url();
    let create = ["user", "create", "--email", "ada@example.com"];
    memsync(data.path(), &[("MEMSYNC_DATABASE__URL", &url)], &create).expect_success("user create");

    let spread = format!(
        "SELECT oid FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND relname NOT IN ({WHOLE}) \
         AND relnamespace = 'public'::regnamespace"
    );
    let count = postgres.sql(&format!("SELECT count(*) FROM ({spread}) spread"));
    assert_eq!(count.trim(), "17", "a new table is keyed by account, or named above");
    let account = "(SELECT attnum FROM pg_attribute WHERE attrelid = t.relid AND attname = 'account_id')";
    let faults = postgres.sql(&format!(
        "WITH t AS (SELECT oid AS relid FROM ({spread}) spread) \
         SELECT t.relid::regclass || ': the primary key begins with something else' FROM t \
         WHERE NOT EXISTS (SELECT FROM pg_index WHERE indrelid = t.relid AND indisprimary AND indkey[0] = {account}) \
         UNION ALL \
         SELECT i.indexrelid::regclass || ': unique across accounts' FROM t JOIN pg_index i ON i.indrelid = t.relid \
         WHERE i.indisunique AND NOT {account} = ANY (i.indkey) \
         UNION ALL \
         SELECT c.conname || ': points to another account' FROM t JOIN pg_constraint c ON c.conrelid = t.relid \
         WHERE c.contype = 'f' AND c.conparentid = 0 AND NOT {account} = ANY (c.conkey) \
         UNION ALL \
         SELECT c.conname || ': one of the tables that are whole points to one that is spread' \
         FROM t JOIN pg_constraint c ON c.confrelid = t.relid \
         WHERE c.contype = 'f' AND NOT c.conrelid IN ({spread}) AND NOT (SELECT relispartition FROM pg_class WHERE oid = c.conrelid)"
    ));
    assert_eq!(faults, "");
}
