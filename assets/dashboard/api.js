// Calls to the server: session cookie, CSRF header, one refresh where the session has run out, errors as one class.

const BASE = "/dashboard/api";

/** What the server refused, or that it could not be reached (`status` 0). */
export class ApiError extends Error {
  constructor(status, body = {}) {
    super(body.error?.message ?? body.detail ?? "The service can’t be reached");
    this.status = status;
    this.code = body.error?.code ?? "UNREACHABLE";
    this.details = body.error?.details ?? {};
    this.retryAfter = body.retry_after;
    this.requestId = body.request_id;
  }

  /** The fields that are wrong, each with the reason. */
  get violations() {
    const { violations, field, reason } = this.details;
    return violations ?? (field ? [{ field, reason: reason ?? this.message }] : []);
  }

  /** Whether the same call may succeed later. */
  get isTemporary() {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

/** The newest rate limit that the server told: `{limit, remaining, reset}`, or null. */
export let rateLimit = null;

let whenSignedOut = () => {};

/** Sets what happens when the session is over for good. */
export function onSignedOut(action) {
  whenSignedOut = action;
}

function csrfToken() {
  const cookies = new Map(document.cookie.split("; ").map((cookie) => cookie.split(/=(.*)/s).slice(0, 2)));
  return cookies.get("__Host-memsync_csrf") ?? cookies.get("memsync_csrf") ?? "none";
}

async function send(method, path, { body, headers, signal, csrf } = {}) {
  const options = { method, signal, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
  if (method !== "GET") options.headers["X-CSRF-Token"] = csrf ?? csrfToken();
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0);
  }
}

async function read(response) {
  const limit = response.headers.get("X-RateLimit-Limit");
  if (limit !== null) {
    const [remaining, reset] = ["Remaining", "Reset"].map((name) => Number(response.headers.get(`X-RateLimit-${name}`)));
    rateLimit = { limit: Number(limit), remaining, reset };
  }
  const body = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    return {};
  });
  if (response.ok) return body;
  const problem = new ApiError(response.status, body);
  problem.retryAfter ??= Number(response.headers.get("Retry-After")) || undefined;
  problem.requestId ??= response.headers.get("X-Request-Id") ?? undefined;
  throw problem;
}

/** One tab at a time, so that two do not spend the same refresh token. */
function alone(action) {
  return navigator.locks ? navigator.locks.request("memsync-session", action) : action();
}

/** Repeats a call that the session was too old for, with a new one. */
async function renewAndRepeat(attempt) {
  return alone(async () => {
    const again = await attempt();
    if (again.status !== 401) return again;
    const renewed = await send("POST", "/dashboard/session/refresh");
    if (renewed.status === 429 || renewed.status >= 500) return renewed;
    const last = renewed.ok ? await attempt() : renewed;
    if (last.status === 401 || !renewed.ok) whenSignedOut();
    return last;
  });
}

/**
 * Calls the API. `query` leaves out what is empty; `body` is sent as JSON.
 * @returns {Promise<object>} the answer; throws an ApiError otherwise.
 */
export async function call(method, path, { query, ...options } = {}) {
  const target = `${BASE}${path}${queryString(query)}`;
  const attempt = () => send(method, target, options);
  const response = await attempt();
  return read(response.status === 401 ? await renewAndRepeat(attempt) : response);
}

/**
 * Calls the API with a password in the body. A wrong one is a 401 as well and counts against the account, so it is sent
 * once, with a session that is known to be good.
 */
export async function callWithPassword(method, path, body) {
  await call("GET", "/v1/auth/me");
  return read(await send(method, `${BASE}${path}`, { body }));
}

export const get = (path, query, signal) => call("GET", path, { query, signal });
export const post = (path, body, options) => call("POST", path, { body, ...options });
export const patch = (path, body, options) => call("PATCH", path, { body, ...options });
export const remove = (path, query) => call("DELETE", path, { query });

/** Signs in, or up where `isNew`. */
export async function openSession(credentials, isNew) {
  const path = isNew ? "/dashboard/session/register" : "/dashboard/session";
  return read(await send("POST", path, { body: credentials, csrf: "none" }));
}

/** Gives an account without a password an address and one, by the token of a link, and signs in. */
export async function setUp(credentials) {
  return read(await send("POST", "/dashboard/session/setup", { body: credentials, csrf: "none" }));
}

/** Ends the session. */
export async function closeSession() {
  return read(await send("DELETE", "/dashboard/session"));
}

/** The path of a file that the browser loads itself, with the session's cookie. */
export function fileUrl(path, query) {
  return `${BASE}${path}${queryString(query)}`;
}

/** `?a=1&b=2` of what is not empty, or nothing. */
export function queryString(query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return pairs.length > 0 ? `?${new URLSearchParams(pairs)}` : "";
}
