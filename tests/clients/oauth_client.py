"""OAuth 2.0 as a program meets it, by Authlib: from discovery to revocation, and every refusal on the way.

usage: oauth_client.py BASE_URL
Exits 0 when the server keeps to RFC 6749, 7009, 7636, 7662, 8414 and 9207, else 1 with what was wrong.
"""

import base64
import hashlib
import json
import sys
from urllib.parse import parse_qs, urlencode, urlsplit

try:
    import grpc
    import requests
    from authlib.common.security import generate_token
except ImportError as missing:
    sys.exit(f"{missing}: pip install -r tests/clients/requirements.txt, or run tests/run")

from oauth_world import (
    EMAIL,
    LOOPBACK,
    PASSWORD,
    SCOPES,
    WEB,
    Form,
    Program,
    World,
    challenge_of,
    must_refuse,
    refusal,
    same,
    sent_back,
)
from reflection_client import TIMEOUT_SECONDS, Client, check

STORY = {
    "messages": [{"role": "user", "content": "I work as a nurse in Oslo. I love sailing."}],
    "agent_id": "oauth",
    "thread_id": "python",
    "source": "test",
}
SEARCH = {"query": "What does the user do for work?", "limit": 5}


def discovery(world: World) -> None:
    metadata, base = world.metadata, world.base
    same(metadata["issuer"], base, "issuer")
    for name, path in (("authorization", "authorize"), ("token", "token"), ("revocation", "revoke")):
        same(metadata[f"{name}_endpoint"], f"{base}/oauth/{path}", name)
    same(metadata["introspection_endpoint"], f"{base}/oauth/introspect", "introspection")
    same(metadata["code_challenge_methods_supported"], ["S256"], "PKCE")
    same(metadata["response_types_supported"], ["code"], "response types")
    grants = {"authorization_code", "client_credentials", "refresh_token"}
    same(set(metadata["grant_types_supported"]), grants, "grant types")
    same(metadata["authorization_response_iss_parameter_supported"], True, "iss")
    resource = world.open(base + "/.well-known/oauth-protected-resource").json()
    same((resource["resource"], resource["authorization_servers"]), (base, [base]), "protected resource")
    same(resource["bearer_methods_supported"], ["header"], "bearer methods")
    same(resource["scopes_supported"], metadata["scopes_supported"], "scopes")
    check(not any(scope.startswith("keys:") for scope in metadata["scopes_supported"]), "programs never manage keys")


def consent_page(world: World, web: Program) -> None:
    url, state, verifier = web.ask()
    page = world.open(url)
    same((page.status_code, page.headers["content-type"]), (200, "text/html; charset=utf-8"), "the consent page")
    style = page.text.split("<style>")[1].split("</style>")[0]
    style = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style}'; form-action 'self' https://app.example.com; "
    headers = {
        "content-security-policy": policy + "frame-ancestors 'none'; base-uri 'none'",
        "cache-control": "no-store",
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }
    same({name: page.headers.get(name) for name in headers}, headers, "headers of the consent page")
    check("<Harbour>" not in page.text and "Harbour" in page.text, "the program's name is shown as text")
    check("search and read your memories" in page.text, "the page says what the program could do")
    form = Form(page.text)
    same((form.method, form.action, set(form.shown)), ("post", "/oauth/authorize", {"email", "password"}), "the form")
    sent = {
        "response_type": "code",
        "client_id": web.id,
        "redirect_uri": WEB,
        "scope": SCOPES,
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    same(form.hidden, sent, "hidden inputs")

    again = world.submit(form, password="a wrong password, all the same")
    same((again.status_code, again.headers.get("location")), (401, None), "a wrong password")
    retry = Form(again.text)
    same((retry.hidden, retry.shown), (sent, {"email": EMAIL, "password": ""}), "the page after a wrong password")

    denied = sent_back(world.submit(form, decision="deny", password=""), WEB)
    denied.pop("error_description")
    same(denied, {"error": "access_denied", "state": state, "iss": world.base}, "a no")

    allowed = sent_back(world.submit(retry), WEB)
    check(bool(allowed.pop("code")), "no code")
    same(allowed, {"state": state, "iss": world.base}, "a yes")


def refusals_before_consent(world: World, web: Program) -> None:
    good = dict(client_id=web.id, redirect_uri=WEB, response_type="code", state="s&1", scope=SCOPES)
    good |= {"code_challenge": "a" * 43, "code_challenge_method": "S256"}
    endpoint = world.metadata["authorization_endpoint"]
    for what, word, change in (
        ("no PKCE", "PKCE", {"code_challenge": None, "code_challenge_method": None}),
        ("PKCE without a method", "PKCE", {"code_challenge_method": None}),
        ("plain PKCE", "PKCE", {"code_challenge_method": "plain"}),
        ("a short challenge", "PKCE", {"code_challenge": "a" * 42}),
        ("the implicit flow", "response_type", {"response_type": "token"}),
        ("no response type", "response_type", {"response_type": None}),
        ("an unknown scope", "everything", {"scope": "everything"}),
        ("a scope beyond the client's", "usage:read", {"scope": "usage:read"}),
        ("a scope of keys", "keys:write", {"scope": "memories:read keys:write"}),
    ):
        fields = {name: value for name, value in (good | change).items() if value is not None}
        posted = fields | {"email": EMAIL, "password": PASSWORD, "decision": "allow"}
        for answer in (
            world.open(f"{endpoint}?{urlencode(fields)}"),
            requests.post(endpoint, data=posted, allow_redirects=False, timeout=TIMEOUT_SECONDS),
        ):
            same((answer.status_code, answer.headers.get("location")), (400, None), f"{what}: {answer.text}")
            check(word in answer.text, f"{what}: the page does not say what is wrong: {answer.text}")

    for what, query in (
        ("an unknown client", urlencode(good | {"client_id": "oc_nobody"})),
        ("no client", urlencode({name: value for name, value in good.items() if name != "client_id"})),
        ("another address", urlencode(good | {"redirect_uri": "https://evil.example.com/callback"})),
        ("a longer address", urlencode(good | {"redirect_uri": WEB + "&x=1"})),
        ("a script as address", urlencode(good | {"redirect_uri": "javascript:alert(1)"})),
        ("an empty address", urlencode(good | {"redirect_uri": ""})),
        ("a parameter twice", urlencode(good) + "&state=other"),
        ("an address twice", urlencode(good) + "&" + urlencode({"redirect_uri": WEB})),
    ):
        form = {"headers": {"content-type": "application/x-www-form-urlencoded"}, "allow_redirects": False}
        posted = requests.post(endpoint, data=query + "&decision=allow", timeout=TIMEOUT_SECONDS, **form)
        for page in (world.open(f"{endpoint}?{query}"), posted):
            same((page.status_code, page.headers.get("location")), (400, None), f"{what}: {page.text}")
            same(page.headers["content-type"], "text/html; charset=utf-8", what)
            same(page.headers["cache-control"], "no-store", what)
            check("form-action 'self' ;" in page.headers["content-security-policy"], f"{what}: {page.headers}")
            check("evil.example.com" not in page.text and "javascript:" not in page.text, f"{what}: {page.text}")


def use_of_a_token(world: World, web: Program) -> None:
    token = web.tokens()
    kind = {name: token[name] for name in ("token_type", "scope", "expires_in")}
    same(kind, {"token_type": "Bearer", "scope": SCOPES, "expires_in": 900}, "the token")
    access = token["access_token"]
    who = world.call("GET", "/v1/auth/me", access)
    same((who["user_id"], who["scopes"], who["auth_method"]), (world.user_id, SCOPES.split(), "jwt"), "who am I")
    stored = world.call("POST", "/v1/memories", access, json=STORY)
    check(stored["memories_created"] > 0, f"stored: {stored}")
    found = world.call("POST", "/v1/memories/search", access, json=SEARCH)["memories"]
    check("nurse" in found[0]["memory"], f"found: {found}")

    client = Client(world.base.removeprefix("http://"), "")
    client.metadata = [("authorization", f"Bearer {access}")]
    check("nurse" in client.call("SearchMemories", **SEARCH).memories[0].memory, "the same over gRPC")

    reader = web.tokens("memories:read")
    same(reader["scope"], "memories:read", "the scope that was asked for")
    missing = {"required_scope": "memories:write"}
    world.call("POST", "/v1/memories/search", reader["access_token"], json=SEARCH)
    world.refused("POST", "/v1/memories", reader["access_token"], 403, "PERMISSION_DENIED", missing, json=STORY)
    client.metadata = [("authorization", f"Bearer {reader['access_token']}")]
    client.call("SearchMemories", **SEARCH)
    try:
        client.call("DeleteMemory", memory_id=found[0]["id"])
    except grpc.RpcError as error:
        same(error.code(), grpc.StatusCode.PERMISSION_DENIED, "a scope that was not granted, over gRPC")
    else:
        sys.exit("failed: a scope that was not granted, over gRPC: not refused")


def what_no_program_may_do(world: World, web: Program) -> None:
    token = web.tokens()["access_token"]
    for verb, path, body in (
        ("DELETE", "/v1/auth/me", {"password": PASSWORD}),
        ("POST", "/v1/auth/logout", {}),
        ("POST", "/v1/auth/password", {"current_password": PASSWORD, "new_password": PASSWORD + "!"}),
        ("GET", "/v1/oauth/clients", None),
        ("POST", "/v1/oauth/clients", {"name": "n"}),
        ("DELETE", f"/v1/oauth/clients/{web.id}", None),
    ):
        world.refused(verb, path, token, 401, "AUTHENTICATION_ERROR", {}, json=body)
    for verb, path, scope in (
        ("GET", "/v1/api-keys", "keys:read"),
        ("POST", "/v1/api-keys", "keys:write"),
        ("DELETE", "/v1/api-keys/key_1", "keys:write"),
        ("POST", "/v1/api-keys/key_1/rotate", "keys:write"),
    ):
        body = None if verb == "GET" else {"name": "n"}
        details = {"required_scope": scope}
        world.refused(verb, path, token, 403, "PERMISSION_DENIED", details, json=body)
    same(world.call("GET", "/v1/auth/me", token)["user_id"], world.user_id, "the token still works")


def codes(world: World, web: Program, app: Program) -> None:
    location, state, verifier = web.answer()
    first = web.exchange(location, state, verifier)
    world.call("GET", "/v1/memories", first["access_token"])
    must_refuse("invalid_grant", "a code that comes twice", web.exchange, location, state, verifier)
    world.dead(first["access_token"], "the tokens of a code that came twice")
    must_refuse("invalid_grant", "a refresh after a stolen code", web.refresh, first["refresh_token"])

    location, state, verifier = web.answer()
    code = parse_qs(urlsplit(location).query)["code"][0]
    good = {"grant_type": "authorization_code", "code": code, "redirect_uri": WEB, "code_verifier": verifier}
    for what, status, error, change in (
        ("a wrong verifier", 400, "invalid_grant", {"code_verifier": generate_token(48)}),
        ("the challenge as verifier", 400, "invalid_grant", {"code_verifier": challenge_of(verifier)}),
        ("no verifier", 400, "invalid_request", {"code_verifier": ""}),
        ("another address", 400, "invalid_grant", {"redirect_uri": LOOPBACK}),
        ("an unknown code", 400, "invalid_grant", {"code": code[:-1] + "_"}),
        ("no code", 400, "invalid_request", {"code": ""}),
        ("no grant type", 400, "invalid_request", {"grant_type": ""}),
        ("another grant type", 400, "unsupported_grant_type", {"grant_type": "password"}),
    ):
        refusal(web.form("token_endpoint", **good | change), status, error, what)
    refusal(app.form("token_endpoint", **good), 400, "invalid_grant", "another program's code")
    fetched = web.form("token_endpoint", **good)
    same((fetched.status_code, fetched.headers["cache-control"]), (200, "no-store"), fetched.text)
    same(fetched.headers["content-type"], "application/json", "tokens")


def client_authentication(world: World, web: Program, app: Program) -> None:
    endpoint, grant = world.metadata["token_endpoint"], {"grant_type": "client_credentials"}
    wrong = web.secret[:-1] + ("a" if web.secret[-1] != "a" else "b")

    def post(data: object, **more: object) -> requests.Response:
        return requests.post(endpoint, data=data, timeout=TIMEOUT_SECONDS, **more)

    for what, answer in (
        ("a wrong secret in the header", post(grant, auth=(web.id, wrong))),
        ("a wrong secret in the body", post(grant | {"client_id": web.id, "client_secret": wrong})),
        ("no secret", post(grant | {"client_id": web.id})),
        ("an empty secret", post(grant, auth=(web.id, ""))),
        ("an unknown client", post(grant, auth=("oc_nobody", wrong))),
        ("another client's secret", post(grant | {"client_id": app.id, "client_secret": web.secret})),
        ("a Bearer token", post(grant, headers={"authorization": f"Bearer {world.bearer}"})),
        ("no pair", post(grant, headers={"authorization": "Basic !"})),
    ):
        refusal(answer, 401, "invalid_client", what)
    both = post(grant | {"client_secret": web.secret}, auth=(web.id, web.secret))
    refusal(both, 400, "invalid_request", "a secret in two places")
    refusal(post(grant), 400, "invalid_request", "no client")
    twice = [("grant_type", "client_credentials")] * 2
    refusal(post(twice, auth=(web.id, web.secret)), 400, "invalid_request", "a parameter twice")
    as_json = post(json.dumps(grant), auth=(web.id, web.secret), headers={"content-type": "application/json"})
    refusal(as_json, 400, "invalid_request", "a body of JSON")
    for path in ("revoke", "introspect"):
        answer = requests.post(f"{world.base}/oauth/{path}", data={"token": "x"}, auth=(web.id, wrong))
        refusal(answer, 401, "invalid_client", f"a wrong secret at {path}")
        refusal(requests.post(f"{world.base}/oauth/{path}", data=[("token", "x")] * 2), 400, "invalid_request", path)


def rotation(world: World, web: Program, app: Program) -> None:
    first = web.tokens()
    second = web.refresh(first["refresh_token"])
    check(second["refresh_token"] != first["refresh_token"], "a refresh token is spent")
    narrow = web.refresh(second["refresh_token"], scope="memories:read")
    same(narrow["scope"], "memories:read", "a narrower refresh")
    missing = {"required_scope": "memories:write"}
    world.refused("POST", "/v1/memories", narrow["access_token"], 403, "PERMISSION_DENIED", missing, json=STORY)
    wide = {"grant_type": "refresh_token", "refresh_token": narrow["refresh_token"], "scope": "usage:read"}
    refusal(web.form("token_endpoint", **wide), 400, "invalid_scope", "more than was granted")
    must_refuse("invalid_grant", "another program's refresh token", app.refresh, narrow["refresh_token"])
    must_refuse("invalid_grant", "a person's refresh token", web.refresh, world.person_refresh_token)
    body = {"refresh_token": narrow["refresh_token"]}
    world.refused("POST", "/v1/auth/refresh", "", 401, "AUTHENTICATION_ERROR", {}, json=body)
    full = web.refresh(narrow["refresh_token"])
    same(full["scope"], SCOPES, "the whole grant comes back, and the refused attempts spent nothing")

    must_refuse("invalid_grant", "a spent refresh token", web.refresh, first["refresh_token"])
    must_refuse("invalid_grant", "the grant is over", web.refresh, full["refresh_token"])
    for token in (first, second, narrow, full):
        world.dead(token["access_token"], "a grant whose spent refresh token came back")


def public_client(world: World, app: Program) -> None:
    token = app.tokens()
    world.call("GET", "/v1/memories", token["access_token"])
    next_token = app.refresh(token["refresh_token"])
    world.call("GET", "/v1/memories", next_token["access_token"])
    answer = app.form("token_endpoint", grant_type="client_credentials")
    refusal(answer, 400, "unauthorized_client", "a public client for itself")
    same(app.introspect(next_token["access_token"])["active"], True, "a public client reads its own token")


def client_credentials(world: World, web: Program) -> None:
    with web.session() as session:
        token = session.fetch_token(world.metadata["token_endpoint"], grant_type="client_credentials")
        check("refresh_token" not in token, "no refresh token without a person")
        same(token["scope"], SCOPES, "all that the client may do")
        world.call("POST", "/v1/memories/search", token["access_token"], json=SEARCH)
        narrow = session.fetch_token(
            world.metadata["token_endpoint"], grant_type="client_credentials", scope="memories:write"
        )
    same(narrow["scope"], "memories:write", "a narrower token")
    missing = {"required_scope": "memories:read"}
    world.refused("GET", "/v1/memories", narrow["access_token"], 403, "PERMISSION_DENIED", missing)
    for scope in ("usage:read", "keys:write", "nonsense"):
        answer = web.form("token_endpoint", grant_type="client_credentials", scope=scope)
        refusal(answer, 400, "invalid_scope", scope)


def registration(world: World) -> None:
    body = {"name": "n", "redirect_uris": [WEB], "scopes": ["memories:read"]}
    for field, change in (
        ("scopes", {"scopes": ["memories:read", "keys:write"]}),
        ("scopes", {"scopes": ["keys:read"]}),
        ("scopes[0]", {"scopes": ["everything"]}),
        ("redirect_uris[1]", {"redirect_uris": [WEB, "http://app.example.com/callback"]}),
        ("redirect_uris[0]", {"redirect_uris": ["javascript:alert(1)"]}),
        ("redirect_uris[0]", {"redirect_uris": [WEB + "#x"]}),
        ("redirect_uris", {"redirect_uris": [WEB] * 11}),
        ("name", {"name": ""}),
    ):
        error = world.call("POST", "/v1/oauth/clients", world.bearer, 400, json=body | change)["error"]
        same((error["code"], error["details"]["field"]), ("VALIDATION_ERROR", field), f"{change}")


def introspection_and_revocation(world: World, web: Program, app: Program) -> None:
    token = web.tokens("memories:read")
    access, refresh = token["access_token"], token["refresh_token"]
    payload = access.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    same((claims["scope"], claims["client_id"], claims["sub"]), ("memories:read", web.id, world.user_id), "claims")
    names = ("scope", "client_id", "sub", "iss", "aud", "iat", "exp")
    expected = {"active": True, "token_type": "Bearer"} | {name: claims[name] for name in names}
    same(web.introspect(access), expected, "introspection of an access token")
    kept = web.introspect(refresh)
    same((kept["active"], kept["token_type"], "iat" in kept), (True, "refresh_token", False), "a refresh token")
    for what, answer in (
        ("another program's token", app.introspect(access)),
        ("another program's refresh token", app.introspect(refresh)),
        ("a person's token", web.introspect(world.bearer)),
        ("a person's refresh token", web.introspect(world.person_refresh_token)),
        ("a mistyped token", web.introspect(refresh[:-1] + "_")),
        ("nonsense", web.introspect("nonsense")),
    ):
        same(answer, {"active": False}, what)

    for token_of_others in (access, refresh, "nonsense"):
        same(app.form("revocation_endpoint", token=token_of_others).status_code, 200, "not its own: no error")
    world.call("GET", "/v1/memories", access)
    for revoked in ("access_token", "refresh_token"):
        token = web.tokens()
        with web.session() as session:
            answer = session.revoke_token(world.metadata["revocation_endpoint"], token[revoked], revoked)
        same((answer.status_code, answer.headers["cache-control"]), (200, "no-store"), f"revocation: {answer.text}")
        world.dead(token["access_token"], f"a revoked {revoked}")
        must_refuse("invalid_grant", f"a revoked {revoked}", web.refresh, token["refresh_token"])
        for name in ("access_token", "refresh_token"):
            same(web.introspect(token[name]), {"active": False}, f"{name} after its {revoked} was revoked")


def deletion(world: World, app: Program) -> None:
    token = app.tokens()
    with_client = app.world.call("GET", "/v1/oauth/clients", world.bearer)["clients"]
    check(app.id in [client["client_id"] for client in with_client], f"not listed: {with_client}")
    same(world.call("DELETE", f"/v1/oauth/clients/{app.id}", world.bearer), {"success": True}, "the deletion")
    world.dead(token["access_token"], "the token of a program that is gone")
    answer = app.form("token_endpoint", grant_type="refresh_token", refresh_token=token["refresh_token"])
    refusal(answer, 401, "invalid_client", "a program that is gone")
    same(world.open(app.ask()[0]).status_code, 400, "the page of a program that is gone")
    world.call("DELETE", f"/v1/oauth/clients/{app.id}", world.bearer, 404)


def main(base: str) -> None:
    world = World(base)
    scopes = {"scopes": SCOPES.split()}
    web = world.program("client_secret_basic", WEB, **scopes)
    posting = world.program("client_secret_post", WEB, **scopes)
    app = world.program("none", LOOPBACK, **scopes)
    discovery(world)
    registration(world)
    consent_page(world, web)
    refusals_before_consent(world, web)
    use_of_a_token(world, web)
    world.call("GET", "/v1/memories", posting.tokens()["access_token"])
    codes(world, web, app)
    client_authentication(world, web, app)
    rotation(world, web, app)
    public_client(world, app)
    client_credentials(world, web)
    what_no_program_may_do(world, web)
    introspection_and_revocation(world, web, app)
    deletion(world, app)


if __name__ == "__main__":
    main(*sys.argv[1:])
