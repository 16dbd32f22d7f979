"""What the OpenAPI schema shows of answers."""

from typing import Any

Answers = dict[int | str, dict[str, Any]]

_ERROR = {
    "type": "object",
    "required": ["error", "hint"],
    "properties": {"error": {"type": "string"}, "hint": {"type": ["string", "null"]}},
}


def _refusal(description: str, error: str, hint: str | None) -> dict[str, Any]:
    said = {"schema": _ERROR, "example": {"error": error, "hint": hint}}
    return {"description": description, "content": {"application/json": said}}


def _said(example: dict[str, Any]) -> Answers:
    return {200: {"content": {"application/json": {"example": example}}}}


def binary(mime: str) -> Answers:
    return {200: {"content": {mime: {"schema": {"type": "string", "format": "binary"}}}}}


REFUSALS: Answers = {
    400: _refusal("Broken off", "the upload ended before its end", None),
    401: _refusal("No token", "the token is missing or wrong", "Authorization: Bearer TOKEN"),
    403: _refusal("Another site", "asked by a page of another site", None),
    404: _refusal("Not served", "there is no policy to judge by", "slic serve --policy newsroom.toml"),
    408: _refusal("Slow upload", "the upload took longer than 60 seconds", None),
    413: _refusal("Too large", "more than 67108864 bytes", "--max-bytes of slic serve sets the limit"),
    415: _refusal("A form", "a form is no picture", "send the file itself as the body"),
    422: _refusal("Not valid", "truncated in chunk LATN at byte 5120", None),
    429: _refusal("Full", "too many requests at a time", "try again in a few seconds"),
    503: _refusal("No memory", "not enough memory", "smaller pictures need less"),
    504: _refusal("Slow work", "the work took too long", "--timeout of slic serve sets the limit"),
}

HEALTH = _said({"status": "ok"}) | {503: {"description": "Not up", "content": {"application/json": {}}}}

VERIFY = _said(
    {
        "ok": True,
        "verdict": "valid",
        "key": "86af8baf5c0077e5",
        "signer": "press",
        "comment": "Example Press",
        "removed": ["EXIF"],
        "changed": [],
        "reason": None,
    }
)

CHECK = _said(
    {
        "ok": False,
        "width": 768,
        "height": 512,
        "finding": "protected, edited here",
        "reason": "8.7% of it, in one region, did not come out of slic",
        "model": "slic",
        "edited": 0.0871,
        "own": 0.874,
        "scale": 1.0,
        "turned": 0,
        "mirrored": False,
        "boxes": [[96, 64, 288, 240]],
    }
)

DETECT = _said(
    {
        "width": 768,
        "height": 512,
        "answer": "unsure",
        "reason": "it is heavily compressed: the blocks of JPEG stand out",
        "probability": None,
        "drivers": [],
        "model": "slic",
        "note": "a probability is no proof",
    }
)

GATE = _said(
    {
        "ok": False,
        "indicators": {"file": {"bytes": 40211, "sha256": "9f86d081884c7d65…"}},
        "policy": "newsroom",
        "rules": [{"rule": "signature.unsigned", "outcome": "reject", "because": "it has no signature"}],
        "verdict": "reject",
    }
)
