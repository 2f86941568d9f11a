"""The published Python client snippet, with nothing but the base URL changed.

usage: memsync_client.py BASE_URL API_KEY
Exits 0 when the snippet works against the server, else 1 with what was wrong.
"""

import sys

try:
    import requests
except ImportError as missing:
    sys.exit(f"{missing}: pip install -r tests/clients/requirements.txt, or run tests/run")


class MemSync:
    def __init__(self, base_url, api_key):
        self.base_url = base_url
        self.headers = {"X-API-Key": api_key, "Content-Type": "application/json"}

    def store_memories(self, messages, agent_id, thread_id, source):
        response = requests.post(
            f"{self.base_url}/v1/memories",
            headers=self.headers,
            json={"messages": messages, "agent_id": agent_id, "thread_id": thread_id, "source": source},
        )
        response.raise_for_status()
        return response.json()

    def search_memories(self, query, limit=10):
        response = requests.post(
            f"{self.base_url}/v1/memories/search",
            headers=self.headers,
            json={"query": query, "limit": limit},
        )
        response.raise_for_status()
        return response.json()


def check(condition, message):
    if not condition:
        sys.exit(f"failed: {message}")


def check_class(base, key):
    client = MemSync(base, key)
    nothing = client.search_memories("user interests")
    check(nothing["memories"] == [], f"a person with no memories has some: {nothing}")

    stored = client.store_memories(
        [
            {
                "role": "user",
                "content": "I'm a software engineer at Google working on machine learning projects. "
                "I love hiking and photography in my free time.",
            }
        ],
        agent_id="snippet",
        thread_id="python",
        source="test",
    )
    check(stored["success"] is True, f"success: {stored}")
    check(stored["memories_created"] == len(stored["memories"]) > 0, f"memories_created: {stored}")
    check("interests" in stored["categories_detected"], f"categories_detected: {stored}")

    found = client.search_memories("user interests", limit=10)["memories"]
    check(0 < len(found) <= 10, f"search found {len(found)} memories")
    check(any("hiking" in memory["memory"].lower() for memory in found), f"no hiking in {found}")
    distances = [memory["vector_distance"] for memory in found]
    check(distances == sorted(distances), f"not ascending: {distances}")
    check(all(0 <= distance <= 1 for distance in distances), f"out of range: {distances}")

    try:
        MemSync(base, key[:-1] + "_").search_memories("user interests")
    except requests.HTTPError as error:
        check(error.response.status_code == 401, f"a bad key: {error}")
    else:
        check(False, "raise_for_status let a bad key pass")


def check_health(base, key):
    good = requests.get(base + "/healthcheck", headers={"X-API-Key": key})
    check(good.status_code == 200, f"/healthcheck with a good key: {good.status_code} {good.text}")
    check(good.json()["authenticated"] is True, f"/healthcheck with a good key: {good.text}")

    bad = requests.get(base + "/healthcheck", headers={"X-API-Key": "memsync_sk_live_bad"})
    check(bad.status_code == 401, f"/healthcheck with a bad key: {bad.status_code} {bad.text}")
    body = bad.json()
    check(body["detail"] == "Invalid authentication credentials", f"detail: {body}")
    check(body["status_code"] == 401, f"status_code: {body}")

    none = requests.get(base + "/healthcheck")
    check(none.status_code == 200, f"/healthcheck without a key: {none.status_code} {none.text}")
    check(none.json()["authenticated"] is False, f"/healthcheck without a key: {none.text}")


if __name__ == "__main__":
    check_class(*sys.argv[1:])
    check_health(*sys.argv[1:])
