"""What Schemathesis must be told of this API: how a body of JSON lines is sent."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(_context, value):
    return {"data": value if isinstance(value, bytes) else str(value).encode()}
