"""The root of all of slic's errors, and the one that says that bytes are not a valid file."""


class SlicError(Exception):
    """Root of every error that slic raises on purpose; its text is one line, lower case."""


class FormatError(SlicError):
    """These bytes are not a valid `.slic` file."""

    def __init__(self, reason: str, *, chunk: str | None = None, offset: int) -> None:
        self.reason, self.chunk, self.offset = reason, chunk, offset
        place = f"in chunk {chunk} at byte {offset}" if chunk else f"at byte {offset}"
        super().__init__(f"{reason} {place}")
