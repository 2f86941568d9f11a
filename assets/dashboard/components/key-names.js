// The keys of the account, as other pages need them.

import { get } from "../api.js";
import { keep } from "../session.js";

const PAGE = 100;
const MOST = 500;

/** The newest keys, up to 500, revoked ones included. */
export function allKeys() {
  return keep("keys", async () => {
    const keys = [];
    let hasMore = true;
    while (hasMore && keys.length < MOST) {
      const answer = await get("/v1/api-keys", { limit: PAGE, offset: keys.length });
      keys.push(...answer.api_keys);
      hasMore = answer.has_more && answer.api_keys.length > 0;
    }
    return keys;
  });
}

/** The name of each key by its id. */
export async function keyNames() {
  const keys = await allKeys();
  return new Map(keys.map((key) => [key.api_key_id, key.name]));
}
