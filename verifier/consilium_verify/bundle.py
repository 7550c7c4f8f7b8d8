"""The bundle as a file: a zip archive in the one form that FORMAT.md fixes, byte for byte.

Entries are stored, in the order of their names, with fixed attributes and nothing between or around them; the
reader writes the archive again from what it read and compares. So no byte of the file is without meaning: no
hidden data, no second central directory, no links, nothing that grows when unpacked.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO

from consilium_verify.findings import Findings, RefusedError

MAX_BUNDLE_BYTES = 512 * 1024 * 1024
MAX_ENTRIES = 10_000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}(?:/[a-z0-9][a-z0-9._-]{0,99}){0,5}", re.ASCII)
# 1980-01-01, the zip epoch, in the date format of MS-DOS
_DATE = 0x0021
_UNIX_REGULAR_FILE = 0o100644 << 16
_SYMLINK = 0o120000


def read_bundle(data: bytes, findings: Findings) -> dict[str, bytes]:
    """Return the entries of a bundle by name, also those with a wrong checksum, which are refused by name.

    Raises
    ------
    RefusedError
        If the file cannot be read as a bundle at all: it is too large or not an archive, or an entry is
        doubled, escaping, linked, compressed or beyond the file's end.
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise RefusedError(f"the bundle has more than {MAX_BUNDLE_BYTES} bytes")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, OverflowError, OSError) as error:
        raise RefusedError("the file is not a readable zip archive") from error
    _require_plain(infos)
    entries = {info.filename: _content(data, info) for info in infos}
    before = len(findings.refusals)
    for info in infos:
        if zlib.crc32(entries[info.filename]) != info.CRC:
            findings.refuse(info.filename, "the entry's checksum in the archive is wrong")
    if len(findings.refusals) == before and write_bundle(entries) != data:
        findings.refuse("bundle", "the archive is not in the one form: order, attributes or stray bytes differ")
    return entries


def write_bundle(entries: Mapping[str, bytes]) -> bytes:
    """Return the one archive of these entries (FORMAT.md section 1)."""
    directory = b""
    parts: list[bytes] = []
    offset = 0
    for name in sorted(entries):
        content, encoded = entries[name], name.encode("ascii")
        common = struct.pack(
            "<HHHHHIIIHH", 20, 0, 0, 0, _DATE, zlib.crc32(content), len(content), len(content), len(encoded), 0
        )
        parts += [b"PK\x03\x04", common, encoded, content]
        directory += (
            b"PK\x01\x02\x14\x03" + common + struct.pack("<HHHII", 0, 0, 0, _UNIX_REGULAR_FILE, offset) + encoded
        )
        offset += 30 + len(encoded) + len(content)
    files = b"".join(parts)
    end = struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(directory), len(files), 0)
    return files + directory + b"PK\x05\x06" + end


def _content(data: bytes, info: zipfile.ZipInfo) -> bytes:
    # Entries are stored as they are: what lies there is shown to later checks even if its checksum is wrong.
    begin = info.header_offset + 30 + len(info.filename)
    content = data[begin : begin + info.file_size]
    if info.header_offset < 0 or len(content) != info.file_size:
        raise RefusedError(f"the entry {info.filename} ends beyond the file")
    return content


def _require_plain(infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > MAX_ENTRIES:
        raise RefusedError(f"the bundle has more than {MAX_ENTRIES} entries")
    seen: set[str] = set()
    for info in infos:
        name = info.orig_filename
        if not _NAME.fullmatch(name) or name != info.filename:
            raise RefusedError(f"the entry {name!r} has a name that is not allowed")
        if name in seen:
            raise RefusedError(f"the entry {name} is there twice")
        if (info.external_attr >> 16) & 0o170000 == _SYMLINK:
            raise RefusedError(f"the entry {name} is a symbolic link")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits or info.file_size != info.compress_size:
            raise RefusedError(f"the entry {name} is compressed or encrypted; entries are stored as they are")
        seen.add(name)
    if sum(info.file_size for info in infos) > MAX_BUNDLE_BYTES:
        raise RefusedError(f"the entries have more than {MAX_BUNDLE_BYTES} bytes together")
