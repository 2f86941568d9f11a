"""A client generated from a server's OpenAPI document stores, searches, changes and deletes.

usage: generated_client.py BASE_URL API_KEY DIRECTORY
The client is generated into DIRECTORY. Exits 0 when all works, else 1 with what was wrong.
"""

import os
import subprocess
import sys

try:
    import openapi_python_client  # noqa: F401
except ImportError as missing:
    sys.exit(f"{missing}: pip install -r tests/clients/requirements.txt, or run tests/run")


def check(condition, message):
    if not condition:
        sys.exit(f"failed: {message}")


def generate(base, directory):
    """Generates the package `memsync_client`; its formatter stands beside the interpreter."""
    programs = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--url", f"{base}/openapi.json"]
    command += ["--config", os.path.join(os.path.dirname(__file__), "generated_client.yaml")]
    command += ["--meta", "none", "--output-path", f"{directory}/memsync_client", "--fail-on-warning"]
    generated = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": programs})
    check(generated.returncode == 0, f"the generator:\n{generated.stdout}{generated.stderr}")
    sys.path.insert(0, directory)


def main(base, key, directory):
    generate(base, directory)
    from memsync_client import AuthenticatedClient, Client
    from memsync_client.api.health import health
    from memsync_client.api.memory import delete_memory, get_memory, search_memories, store_memories, update_memory
    from memsync_client.api.unprefixed import list_memories_unprefixed
    from memsync_client.models import (
        Error,
        Message,
        Role,
        SearchMemoriesRequest,
        StoreMemoriesRequest,
        UpdateMemoryRequest,
    )

    check(health.sync(client=Client(base)).status == "ok", "the server is not healthy")
    client = AuthenticatedClient(base, token=key, prefix="", auth_header_name="X-API-Key")

    words = "I work as a data engineer in Lisbon, and I love climbing."
    conversation = StoreMemoriesRequest(
        messages=[Message(role=Role.USER, content=words)], agent_id="generated", thread_id="python", source="test"
    )
    stored = store_memories.sync(client=client, body=conversation)
    check(stored.success and stored.memories, f"nothing was stored: {stored}")

    found = search_memories.sync(client=client, body=SearchMemoriesRequest(query="What is the user's job?"))
    best = found.memories[0]
    check("data engineer" in best.memory, f"the job was not found: {found}")
    check(best.created_at.year >= 2024, f"no time: {best}")

    change = UpdateMemoryRequest(importance=0.9)
    changed = update_memory.sync(best.id, client=client, body=change)
    check((changed.version, changed.importance) == (2, 0.9), f"not changed: {changed}")
    stale = update_memory.sync(best.id, client=client, body=change, if_match='"1"')
    check(isinstance(stale, Error) and stale.error.code == "CONFLICT", f"no conflict: {stale}")

    listed = list_memories_unprefixed.sync(client=client, page_size=100)
    check(listed.pagination.total_items == len(stored.memories), f"not all are listed: {listed}")
    deleted = delete_memory.sync(best.id, client=client, backup=False)
    check(deleted.success and deleted.memory_id == best.id, f"not deleted: {deleted}")
    gone = get_memory.sync(best.id, client=client)
    check(isinstance(gone, Error) and gone.status_code == 404, f"still there: {gone}")


main(*sys.argv[1:])
