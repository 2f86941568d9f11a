"""A person, their programs and a browser on a server with OAuth 2.0: what oauth_client.py tells its story with."""

import base64
import hashlib
import os
import sys
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

# Authlib refuses plain HTTP, which the tests speak on the loopback.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

try:
    import requests
    from authlib.common.security import generate_token
    from authlib.integrations.base_client.errors import OAuthError
    from authlib.integrations.requests_client import OAuth2Session
    from reflection_client import TIMEOUT_SECONDS, check
except ImportError as missing:
    sys.exit(f"{missing}: pip install -r tests/clients/requirements.txt, or run tests/run")

EMAIL = "ada@example.com"
PASSWORD = "seven slow barges under the moon"
WEB = "https://app.example.com/callback?from=memsync"
# A native app gets a port from the system, so it registers none.
LOOPBACK, LOOPBACK_WITH_PORT = "http://127.0.0.1/callback", "http://127.0.0.1:53211/callback"
SCOPES = "memories:read memories:write"


def same(got: object, expected: object, what: str) -> None:
    check(got == expected, f"{what}: {got!r} is not {expected!r}")


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class Form(HTMLParser):
    """The one form of a page, as a browser would fill it in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self.method, self.hidden, self.shown = "", "", {}, {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        if tag == "form":
            self.action, self.method = fields["action"], fields["method"]
        elif tag == "input":
            kept = self.hidden if fields["type"] == "hidden" else self.shown
            kept[fields["name"]] = fields.get("value", "")


class Program:
    """A registered client, and the Authlib session that it acts with."""

    def __init__(self, world: "World", registered: dict, method: str, redirect_uri: str) -> None:
        self.world, self.id, self.redirect_uri = world, registered["client"]["client_id"], redirect_uri
        self.secret = None if method == "none" else registered["client_secret"]
        self.method = method

    def session(self, secret: str | None = None, **more: object) -> OAuth2Session:
        return OAuth2Session(
            self.id,
            secret or self.secret,
            token_endpoint_auth_method=self.method,
            revocation_endpoint_auth_method=self.method,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            **more,
        )

    def ask(self, scope: str = SCOPES, **more: str) -> tuple[str, str, str]:
        """The URL to send the person to, its state and its verifier."""
        verifier = generate_token(48)
        endpoint = self.world.metadata["authorization_endpoint"]
        with self.session(scope=scope) as session:
            url, state = session.create_authorization_url(endpoint, code_verifier=verifier, **more)
        return url, state, verifier

    def answer(self, scope: str = SCOPES) -> tuple[str, str, str]:
        """The address that the browser is sent back to after a yes, the state and the verifier."""
        url, state, verifier = self.ask(scope)
        return self.world.allow(url).headers["location"], state, verifier

    def exchange(self, location: str, state: str, verifier: str, **more: object) -> dict:
        with self.session(state=state) as session:
            return session.fetch_token(
                self.world.metadata["token_endpoint"], authorization_response=location, code_verifier=verifier, **more
            )

    def tokens(self, scope: str = SCOPES) -> dict:
        return self.exchange(*self.answer(scope))

    def refresh(self, refresh_token: str, **more: str) -> dict:
        with self.session() as session:
            return session.refresh_token(self.world.metadata["token_endpoint"], refresh_token, **more)

    def form(self, endpoint: str, **fields: str) -> requests.Response:
        """A form of this client as it stands, with nothing checked or retried."""
        auth = (self.id, self.secret) if self.method == "client_secret_basic" else None
        own = {} if auth else {"client_id": self.id} | ({"client_secret": self.secret} if self.secret else {})
        return requests.post(self.world.metadata[endpoint], data=own | fields, auth=auth, timeout=TIMEOUT_SECONDS)

    def introspect(self, token: str) -> dict:
        answer = self.form("introspection_endpoint", token=token)
        same((answer.status_code, answer.headers["cache-control"]), (200, "no-store"), "introspection")
        return answer.json()


class World:
    """A server, a person with an account on it, and the programs that the person registered."""

    def __init__(self, base: str) -> None:
        self.base = base
        person = self.call("POST", "/v1/auth/register", json={"email": EMAIL, "password": PASSWORD}, status=201)
        self.user_id, self.bearer = person["user_id"], person["access_token"]
        self.person_refresh_token = person["refresh_token"]
        self.metadata = requests.get(base + "/.well-known/oauth-authorization-server", timeout=TIMEOUT_SECONDS).json()

    def call(self, verb: str, path: str, token: str | None = None, status: int = 200, **more: object) -> dict:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = requests.request(verb, self.base + path, headers=headers, timeout=TIMEOUT_SECONDS, **more)
        same(answer.status_code, status, f"{verb} {path} {answer.text}")
        return answer.json()

    def refused(self, verb: str, path: str, token: str, status: int, code: str, details: dict, **more: object) -> None:
        error = self.call(verb, path, token, status, **more)["error"]
        same((error["code"], error["details"]), (code, details), f"{verb} {path}")

    def dead(self, token: str, what: str) -> None:
        try:
            self.refused("GET", "/v1/memories", token, 401, "AUTHENTICATION_ERROR", {})
        except SystemExit as error:
            sys.exit(f"{error}: {what}")

    def program(self, method: str, redirect_uri: str, **fields: object) -> Program:
        body = {"name": "Tide & <Harbour>", "redirect_uris": [redirect_uri], "public": method == "none"} | fields
        registered = self.call("POST", "/v1/oauth/clients", self.bearer, 201, json=body)
        used = LOOPBACK_WITH_PORT if redirect_uri == LOOPBACK else redirect_uri
        return Program(self, registered, method, used)

    def open(self, url: str) -> requests.Response:
        return requests.get(url, allow_redirects=False, timeout=TIMEOUT_SECONDS)

    def submit(self, form: Form, decision: str = "allow", password: str = PASSWORD) -> requests.Response:
        fields = form.hidden | {"email": EMAIL, "password": password, "decision": decision}
        return requests.post(self.base + form.action, data=fields, allow_redirects=False, timeout=TIMEOUT_SECONDS)

    def allow(self, url: str) -> requests.Response:
        page = self.open(url)
        same(page.status_code, 200, f"the consent page: {page.text}")
        answer = self.submit(Form(page.text))
        same(answer.status_code, 303, f"consent: {answer.text}")
        return answer


def sent_back(answer: requests.Response, redirect_uri: str) -> dict:
    """What the browser carries back, once it is known to go where it must."""
    same(answer.status_code, 303, f"not sent back: {answer.text}")
    same(answer.headers["cache-control"], "no-store", "a redirect is not kept")
    location = answer.headers["location"]
    given, known = urlsplit(location), urlsplit(redirect_uri)
    same(given._replace(query=""), known._replace(query=""), "sent back to another address")
    carried = {name: values[0] for name, values in parse_qs(given.query, strict_parsing=True).items()}
    for name, values in parse_qs(known.query).items():
        same(carried.pop(name, None), values[0], "the query of the registered address")
    return carried


def refusal(answer: requests.Response, status: int, error: str, what: str) -> dict:
    """The body of a refusal by an endpoint that programs call."""
    body = answer.json()
    same((answer.status_code, body.get("error"), set(body)), (status, error, {"error", "error_description"}), what)
    same(answer.headers["cache-control"], "no-store", f"{what}: kept")
    same(answer.headers["content-type"], "application/json", what)
    challenge = answer.headers.get("www-authenticate")
    same(challenge, 'Basic realm="memsync"' if error == "invalid_client" else None, f"{what}: the challenge")
    return body


def must_refuse(error: str, what: str, attempt: object, *arguments: object, **more: object) -> None:
    """Authlib must be told this error."""
    try:
        attempt(*arguments, **more)
    except OAuthError as refused:
        same(refused.error, error, what)
    else:
        sys.exit(f"failed: {what}: not refused")
