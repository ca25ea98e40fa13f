"""Plain HTTP to servers of this machine, as often as tests like: `httpx.get` would read all certificates each time."""

import ssl

import httpx

# Trusts nobody, for there is no TLS. A connection for each call: servers of tests are killed and started again.
HTTP = httpx.Client(
    verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    trust_env=False,
    timeout=60,
    limits=httpx.Limits(max_keepalive_connections=0),
)
