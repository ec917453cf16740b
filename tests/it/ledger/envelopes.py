"""Envelopes against securesystemslib: each is signed by all keys, and by none once its payload is another.

Usage: envelopes.py KEYID=HEX[,KEYID=HEX...] FILE...
"""

import json
import sys

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

pairs = [pair.split("=") for pair in sys.argv[1].split(",")]
keys = [SSlibKey(keyid, "ed25519", "ed25519", {"public": public}) for keyid, public in pairs]
verified = refused = 0
for path in sys.argv[2:]:
    with open(path, "rb") as file:
        envelope = Envelope.from_dict(json.load(file))
    assert envelope.payload_type == "application/vnd.in-toto+json", path
    assert len(envelope.signatures) == len(keys), path
    verified += len(envelope.verify(keys, len(keys))) == len(keys)
    changed = bytearray(envelope.payload)
    changed[verified % len(changed)] ^= 1
    envelope.payload = bytes(changed)
    try:
        envelope.verify(keys, 1)
    except VerificationError:
        refused += 1
print(f"{verified} verified, {refused} refused")
