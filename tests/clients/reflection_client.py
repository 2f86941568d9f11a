"""A gRPC client that knows nothing but what server reflection tells it.

usage: reflection_client.py HOST:PORT API_KEY
Exits 0 when it can store and search memories, in protobuf and in JSON with the words of REST, and read the details of a
refusal by the types that reflection tells; else 1 with what was wrong.
"""

import sys

try:
    import grpc
    from google.protobuf import json_format
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message_factory import GetMessageClass
    from google.rpc import status_pb2
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
except ImportError as missing:
    sys.exit(f"{missing}: pip install -r tests/clients/requirements.txt, or run tests/run")

SERVICE = "memsync.v1.MemoryService"
PROFILES = "memsync.v1.ProfileService"
ERROR_INFO = "google.rpc.ErrorInfo"
TIMEOUT_SECONDS = 30


def check(condition, message):
    if not condition:
        sys.exit(f"failed: {message}")


class Client:
    def __init__(self, address, key):
        self.channel = grpc.insecure_channel(address)
        self.metadata = [("x-api-key", key)]
        self.reflection = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = DescriptorPool(self.reflection)

    def type(self, name):
        return GetMessageClass(self.pool.FindMessageTypeByName(name))

    def call(self, rpc, json=None, service=SERVICE, **fields):
        """Calls an RPC with fields, or with JSON as grpcurl reads it."""
        method = self.pool.FindServiceByName(service).methods_by_name[rpc]
        request = GetMessageClass(method.input_type)(**fields)
        if json is not None:
            json_format.ParseDict(json, request)
        call = self.channel.unary_unary(
            f"/{service}/{rpc}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        return call(request, metadata=self.metadata, timeout=TIMEOUT_SECONDS)

    def word(self, message, field, value=None):
        """The name of an enum's value."""
        kind = message.DESCRIPTOR.fields_by_name[field].enum_type
        return kind.values_by_number[getattr(message, field) if value is None else value].name


def refusal(client, rpc, **fields):
    """The status of a call that must fail, with its details by type."""
    try:
        client.call(rpc, **fields)
    except grpc.RpcError as error:
        packed = dict(error.trailing_metadata()).get("grpc-status-details-bin")
        check(packed is not None, f"{rpc}: no details with {error}")
        details = {}
        for any_message in status_pb2.Status.FromString(packed).details:
            name = any_message.TypeName()
            details[name] = client.type(name).FromString(any_message.value)
        return error.code(), details
    sys.exit(f"failed: {rpc} took a bad request")


def check_words(client):
    """JSON with the words that REST takes and that errors name, and with the names of the proto."""
    stored = client.call(
        "StoreMemories",
        json={
            "agent_id": "reflection",
            "thread_id": "words",
            "source": "test",
            "messages": [
                {"role": "user", "content": "I am learning Japanese."},
                {"role": "tool", "content": "I live in Rome."},
                {"role": "ROLE_ASSISTANT", "content": "Nice!"},
            ],
        },
    )
    check([memory.memory for memory in stored.memories] == ["User is learning Japanese."], f"stored: {stored}")
    found = client.call("SearchMemories", json={"query": "language", "categories": ["learning"], "type": "episodic"})
    shown = json_format.MessageToDict(found)["memories"]
    check(all(memory["type"] == "MEMORY_TYPE_EPISODIC" for memory in shown), f"names of the proto: {shown}")
    everything = client.call("ListMemories", json={"sort": "importance", "order": "asc", "category": "CATEGORY_LEARNING"})
    check([memory.memory for memory in everything.data] == ["User is learning Japanese."], f"list: {everything}")
    id = stored.memories[0].id
    changed = client.call("UpdateMemory", json={"memory_id": id, "memory_type": "semantic", "category": "career"})
    check(client.word(changed, "memory_type") == "MEMORY_TYPE_SEMANTIC", f"changed: {changed}")

    bad = {"messages": [{"content": "x"}], "agent_id": "a", "thread_id": "t", "source": "s"}
    _, details = refusal(client, "StoreMemories", json=bad)
    (violation,) = details["google.rpc.BadRequest"].field_violations
    words = violation.description.removeprefix("must be one of: ").split(", ")
    check((violation.field, len(words)) == ("messages[0].role", 6), f"BadRequest: {violation}")
    for word in words:
        client.call("StoreMemories", json={**bad, "messages": [{"role": word, "content": "x"}]})
    _, details = refusal(client, "SearchMemories", json={"query": "x", "categories": [99]})
    words = details[ERROR_INFO].metadata["valid_categories"].split(",")
    check(len(words) == 10, f"valid_categories: {words}")
    client.call("SearchMemories", json={"query": "x", "categories": words})
    _, details = refusal(client, "GetBio", json={"format": 99}, service=PROFILES)
    formats = details[ERROR_INFO].metadata["valid_formats"].split(",")
    _, details = refusal(client, "GetBio", json={"style": 99}, service=PROFILES)
    (violation,) = details["google.rpc.BadRequest"].field_violations
    styles = violation.description.removeprefix("must be one of: ").split(", ")
    check((len(formats), len(styles)) == (4, 4), f"formats and styles: {formats} {styles}")
    for asked in [{"format": word} for word in formats] + [{"style": word} for word in styles]:
        code, _ = refusal(client, "GetBio", json=asked, service=PROFILES)
        check(code == grpc.StatusCode.NOT_FOUND, f"{asked}: {code}")


def main(address, key):
    client = Client(address, key)
    names = client.reflection.get_services()
    for name in (SERVICE, "memsync.v1.AuthService", "grpc.health.v1.Health"):
        check(name in names, f"reflection does not list {name}: {names}")

    stored = client.call(
        "StoreMemories",
        messages=[{"role": "ROLE_USER", "content": "I work as a nurse in Oslo. I love sailing."}],
        agent_id="reflection",
        thread_id="python",
        source="test",
    )
    check(stored.success and stored.memories_created == len(stored.memories) > 0, f"stored: {stored}")
    first = stored.memories[0]
    check(client.word(first, "operation") == "OPERATION_ADDED", f"operation: {first}")
    check(first.id.startswith("mem_"), f"id: {first}")

    found = client.call("SearchMemories", query="What does the user do for work?", limit=5)
    check(0 < len(found.memories) <= 5, f"found: {found}")
    best = found.memories[0]
    check("nurse" in best.memory, f"the best memory is not the job: {best}")
    categories = [client.word(best, "categories", value) for value in best.categories]
    check("CATEGORY_CAREER" in categories, f"categories: {categories}")

    check_words(client)

    code, details = refusal(client, "SearchMemories", query="", limit=1000)
    check(code == grpc.StatusCode.INVALID_ARGUMENT, f"a bad request: {code}")
    info = details[ERROR_INFO]
    check((info.reason, info.domain) == ("VALIDATION_ERROR", "memsync"), f"ErrorInfo: {info}")
    fields = {violation.field for violation in details["google.rpc.BadRequest"].field_violations}
    check(fields == {"query", "limit"}, f"BadRequest: {fields}")

    client.metadata = [("x-api-key", "memsync_sk_live_bad")]
    code, details = refusal(client, "SearchMemories", query="anything")
    check(code == grpc.StatusCode.UNAUTHENTICATED, f"a bad key: {code}")
    info = details[ERROR_INFO]
    check((info.reason, info.domain) == ("AUTHENTICATION_ERROR", "memsync"), f"ErrorInfo: {info}")


if __name__ == "__main__":
    main(*sys.argv[1:])
