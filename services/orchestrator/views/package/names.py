"""What things are called inside a package: names made by us, never taken from anybody's data."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

REPORT: Final = "report.html"
MANIFEST: Final = "manifest.json"

# A file's ending follows from its media type alone, and only from this list: what the vendor called it is not used.
ENDINGS: Final[Mapping[str, str]] = {
    "application/gzip": "gz",
    "application/json": "json",
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/rtf": "rtf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/x-ndjson": "jsonl",
    "application/xml": "xml",
    "application/zip": "zip",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tif",
    "image/webp": "webp",
    "message/rfc822": "eml",
    "text/calendar": "ics",
    "text/csv": "csv.txt",  # a stranger's table must not open as one of ours: cells of it may be formulas
    "text/html": "html.txt",  # nor a stranger's page run in a browser beside the report
    "image/svg+xml": "svg.txt",  # it may hold a script
    "text/markdown": "md",
    "text/plain": "txt",
    "text/vcard": "vcf",
    "text/xml": "xml",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}
OTHER_ENDING: Final = "bin"

# Compressing these again costs time and saves nothing.
PRESSED: Final = frozenset(
    {"gz", "zip", "docx", "xlsx", "pptx", "ods", "odt", "jpg", "png", "gif", "heic", "webp", "mp3", "m4a", "ogg"}
    | {"mp4", "mov", "webm"}
)

_PLAIN = re.compile(r"[a-z][a-z0-9_-]{0,63}")
# Windows opens no file or folder of these names, whatever the ending.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{one}{n}" for one in ("com", "lpt") for n in range(10))})


def ending(media_type: str) -> str:
    """Return the ending for a media type, without its dot; parameters and capitals do not count."""
    return ENDINGS.get(media_type.partition(";")[0].strip().lower(), OTHER_ENDING)


def made(words: Iterable[str], otherwise: str) -> dict[str, str]:
    """Return a name for each of `words`, no two alike: the word itself where it is plain, else `otherwise` numbered.

    A plain word has small letters, digits, `-` and `_`, at most 64 of them, and is no device of an operating system.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    everyone = list(dict.fromkeys(words))
    for word in everyone:
        if _PLAIN.fullmatch(word) and word not in _DEVICES:
            names[word] = word
            taken.add(word)
    number = 0
    for word in everyone:
        if word not in names:
            number += 1
            while f"{otherwise}-{number:02}" in taken:
                number += 1
            names[word] = f"{otherwise}-{number:02}"
            taken.add(names[word])
    return names


def file_name(folder: str, number: int, media_type: str) -> str:
    """Return the name of a processor's file, counted from 1."""
    return f"{folder}/files/{number:04}.{ending(media_type)}"
