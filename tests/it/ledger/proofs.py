"""A .tlog-proof file against tlog-scales, which reads its parts and does the arithmetic; the file's few lines are split here (C2SP tlog-proof).

Usage: proofs.py VKEY PROOF ENTRY [PROOF ENTRY]...
"""

import sys

from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import Checkpoint, InclusionProof
from tlog_scales.utils import b64dec

vkey = Vkey.from_string(sys.argv[1])
for proof, entry in zip(sys.argv[2::2], sys.argv[3::2], strict=True):
    with open(proof, encoding="utf-8", newline="") as file:
        head, note = file.read().split("\n\n", 1)
    with open(entry, "rb") as file:
        leaf = leaf_hash(file.read())
    header, index, *hashes = head.split("\n")
    assert header == "c2sp.org/tlog-proof@v1", header
    assert index.startswith("index "), index
    checkpoint = Checkpoint.from_text(note)
    assert checkpoint.origin == vkey.name, checkpoint.origin
    checkpoint.verify(vkey)
    InclusionProof(int(index.removeprefix("index ")), checkpoint.size, [b64dec(line) for line in hashes]).check(leaf, checkpoint.root_hash)
print(f"{len(sys.argv[2::2])} proofs")
