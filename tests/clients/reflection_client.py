"""A gRPC client that knows nothing but what server reflection tells it.

usage: reflection_client.py HOST:PORT API_KEY
Exits 0 when it can store and search memories and read the details of a refusal, else 1 with what was wrong.
"""

import sys

try:
    import grpc
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message_factory import GetMessageClass
    from google.rpc import error_details_pb2, status_pb2
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
except ImportError as missing:
    sys.exit(f"{missing}: pip install -r tests/clients/requirements.txt, or run tests/run")

SERVICE = "memsync.v1.MemoryService"
TIMEOUT_SECONDS = 30


def check(condition, message):
    if not condition:
        sys.exit(f"failed: {message}")


class Client:
    def __init__(self, address, key):
        self.channel = grpc.insecure_channel(address)
        self.metadata = [("x-api-key", key)]
        self.reflection = ProtoReflectionDescriptorDatabase(self.channel)
        self.service = DescriptorPool(self.reflection).FindServiceByName(SERVICE)

    def call(self, rpc, **fields):
        method = self.service.methods_by_name[rpc]
        request = GetMessageClass(method.input_type)(**fields)
        call = self.channel.unary_unary(
            f"/{SERVICE}/{rpc}",
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
            for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest):
                if any_message.Is(kind.DESCRIPTOR):
                    details[kind] = kind.FromString(any_message.value)
        return error.code(), details
    sys.exit(f"failed: {rpc} took a bad request")


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

    code, details = refusal(client, "SearchMemories", query="", limit=1000)
    check(code == grpc.StatusCode.INVALID_ARGUMENT, f"a bad request: {code}")
    info = details[error_details_pb2.ErrorInfo]
    check((info.reason, info.domain) == ("VALIDATION_ERROR", "memsync"), f"ErrorInfo: {info}")
    fields = {violation.field for violation in details[error_details_pb2.BadRequest].field_violations}
    check(fields == {"query", "limit"}, f"BadRequest: {fields}")

    client.metadata = [("x-api-key", "memsync_sk_live_bad")]
    code, details = refusal(client, "SearchMemories", query="anything")
    check(code == grpc.StatusCode.UNAUTHENTICATED, f"a bad key: {code}")
    info = details[error_details_pb2.ErrorInfo]
    check((info.reason, info.domain) == ("AUTHENTICATION_ERROR", "memsync"), f"ErrorInfo: {info}")


if __name__ == "__main__":
    main(*sys.argv[1:])
