"""Reads a TensorBoard event file by the formats' descriptions, and prints a JSON object an event: what a step of
metrics.jsonl has, in its order.  Ends with a message at the first byte that is not as it must be."""
import json
import struct
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def check(data, stored, what):
    crc = crc32c(data)
    if ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF != stored:
        sys.exit(f"{what}: the checksum is wrong")


def records(data):
    at = 0
    while at < len(data):
        size, crc = struct.unpack_from("<QI", data, at)
        check(data[at:at + 8], crc, f"the size at {at}")
        body = data[at + 12:at + 12 + size]
        check(body, struct.unpack_from("<I", data, at + 12 + size)[0], f"the record at {at}")
        yield body
        at += 16 + size


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        elif key & 7 == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        elif key & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            sys.exit(f"wire type {key & 7}")
        yield key >> 3, value


if crc32c(b"123456789") != 0xE3069283:
    sys.exit("this reader's checksum is wrong")
events = [dict(fields(r)) | {"values": [dict(fields(v)) for k, s in fields(r) if k == 5 for _, v in fields(s)]}
          for r in records(open(sys.argv[1], "rb").read())]
if events[0].get(3) != b"brain.Event:2" or dict(fields(events[1][7])) != {1: 1}:
    sys.exit("does not begin with its version and a start")
if any(a[1] > b[1] for a, b in zip(events, events[1:])) or events[0][1] < 1.5e9:
    sys.exit("the times are wrong")
for e in events[2:]:
    print(json.dumps({"step": e[2]} | {v[1].decode(): v[2] for v in e["values"]}))
