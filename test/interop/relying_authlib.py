"""A relying party with Authlib: reads one question in JSON on each line, writes one answer on each line.

Authlib verifies with the key set that it is given and keeps none. This application does what a server would: it keeps
a set for five minutes and fetches it again for a kid that it does not know.
"""

import json
import sys
import time
import urllib.request

from authlib.jose import JsonWebKey, JsonWebToken

KEPT = {}
KEEP_SECONDS = 300
FETCHES = {"count": 0}


def keys_of(url, refresh=False):
    kept = KEPT.get(url)
    if refresh or kept is None or time.time() - kept[0] > KEEP_SECONDS:
        FETCHES["count"] += 1
        with urllib.request.urlopen(url) as response:
            kept = KEPT[url] = (time.time(), JsonWebKey.import_key_set(json.load(response)))
    return kept[1]


def answer(question):
    url = question["jwks"]
    must_be = {
        "iss": {"essential": True, "value": question["issuer"]},
        "aud": {"essential": True, "value": question["audience"]},
        "exp": {"essential": True},
    }

    def find(header, _payload):
        try:
            return keys_of(url).find_by_kid(header["kid"])
        except ValueError:
            return keys_of(url, refresh=True).find_by_kid(header["kid"])

    claims = JsonWebToken(question["algorithms"]).decode(question["token"], find, claims_options=must_be)
    claims.validate()
    return {"ok": True, "kid": claims.header["kid"], "iss": claims["iss"], "client": claims["client_id"]}


for line in sys.stdin:
    try:
        said = answer(json.loads(line))
    except Exception as error:
        said = {"ok": False, "error": type(error).__name__}
    print(json.dumps({**said, "fetches": FETCHES["count"]}), flush=True)
