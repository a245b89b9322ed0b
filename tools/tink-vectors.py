"""Writes the vectors that judge packages/server/src/platform/sealing, and opens what Berth sealed.

Needs Tink itself: python3 -m venv v && v/bin/pip install tink==1.16.1

    v/bin/python tools/tink-vectors.py > packages/server/src/platform/sealing/tink-vectors.json
    v/bin/python tools/tink-vectors.py open SEGMENT_BYTES KEY_HEX ASSOCIATED_DATA < sealed > plain
"""

import base64
import hashlib
import io
import json
import sys

from tink import json_proto_keyset_format, secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2

HEADER_BYTES = 40
TAG_BYTES = 16
KEY = bytes(range(32))


class Kept(io.BytesIO):
    """Tink closes what it wrote to; the bytes are still wanted."""

    def close(self):
        pass


def primitive(segment_bytes, key):
    message = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(key_value=key)
    message.params.ciphertext_segment_size = segment_bytes
    message.params.derived_key_size = 32
    message.params.hkdf_hash_type = common_pb2.SHA256
    key_data = {
        "typeUrl": "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey",
        "value": base64.b64encode(message.SerializeToString()).decode(),
        "keyMaterialType": "SYMMETRIC",
    }
    entry = {"keyData": key_data, "status": "ENABLED", "keyId": 1, "outputPrefixType": "RAW"}
    keyset = json.dumps({"primaryKeyId": 1, "key": [entry]})
    handle = json_proto_keyset_format.parse(keyset, secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)


def plaintext(size):
    """Whoever checks makes the same bytes."""
    return bytes((i * 7 + i // 251) & 0xFF for i in range(size))


def vector(segment_bytes, size):
    associated_data = "%032x" % (segment_bytes * 2**64 + size)
    sealed = Kept()
    with primitive(segment_bytes, KEY).new_encrypting_stream(sealed, associated_data.encode()) as stream:
        stream.write(plaintext(size))
    content = sealed.getvalue()
    made = {"segmentBytes": segment_bytes, "plainBytes": size, "associatedData": associated_data}
    if len(content) <= 5000:
        return made | {"sealed": base64.b64encode(content).decode()}
    # Too large to keep: header and hash say as much, for with its header the sealed form of a plaintext is one.
    header = base64.b64encode(content[:HEADER_BYTES]).decode()
    return made | {"header": header, "sealedSha256": hashlib.sha256(content).hexdigest()}


def borders(segment_bytes):
    """Sizes around the ends of the first segments."""
    first, full = segment_bytes - TAG_BYTES - HEADER_BYTES, segment_bytes - TAG_BYTES
    ends = [first + full * count for count in range(3)]
    return [0, 1] + [end + step for end in ends for step in (-1, 0, 1)]


def main():
    streaming_aead.register()
    if sys.argv[1:2] == ["open"]:
        segment_bytes, key, associated_data = int(sys.argv[2]), bytes.fromhex(sys.argv[3]), sys.argv[4].encode()
        with primitive(segment_bytes, key).new_decrypting_stream(sys.stdin.buffer, associated_data) as stream:
            sys.stdout.buffer.write(stream.read())
        return
    vectors = [vector(segment_bytes, size) for segment_bytes in (128, 4096, 1 << 20) for size in borders(segment_bytes)]
    print(json.dumps({"from": "Tink for Python 1.16.1", "key": KEY.hex(), "vectors": vectors}, indent=2))


main()
