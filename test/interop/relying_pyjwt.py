"""A relying party with PyJWT: reads one question in JSON on each line, writes one answer on each line.

One PyJWKClient per JWKS URL lives as long as the process, as in a server. With "now" (seconds since 1970) time is what
the question says, so that its cache lives through a rehearsal.
"""

import json
import sys
from datetime import datetime, timezone

import jwt
from jwt import api_jwt, jwk_set_cache

CLIENTS = {}
FETCHES = {"count": 0}


class Client(jwt.PyJWKClient):
    def fetch_data(self):
        FETCHES["count"] += 1
        return super().fetch_data()


class VirtualTime:
    """Stands for the modules and classes that PyJWT asks for the time."""

    def __init__(self, now):
        self.seconds = now

    def monotonic(self):
        return self.seconds

    time = monotonic


def live_at(now):
    class VirtualDatetime(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(now, tz or timezone.utc)

    api_jwt.datetime = VirtualDatetime
    jwk_set_cache.time = jwt.api_jwk.time = VirtualTime(now)


def answer(question):
    if "now" in question:
        live_at(question["now"])
    client = CLIENTS.setdefault(question["jwks"], Client(question["jwks"]))
    key = client.get_signing_key_from_jwt(question["token"])
    claims = jwt.decode(
        question["token"],
        key.key,
        algorithms=question["algorithms"],
        issuer=question["issuer"],
        audience=question["audience"],
        options={"require": ["iss", "sub", "aud", "exp", "iat"]},
    )
    return {"ok": True, "kid": key.key_id, "iss": claims["iss"], "client": claims["client_id"]}


for line in sys.stdin:
    try:
        said = answer(json.loads(line))
    except Exception as error:
        said = {"ok": False, "error": type(error).__name__}
    print(json.dumps({**said, "fetches": FETCHES["count"]}), flush=True)
