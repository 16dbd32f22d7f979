"""The text of an error, made in one place."""

from slic_formats import FormatError, SlicError


def test_text_names_the_chunk_and_the_byte() -> None:
    error = FormatError("truncated", chunk="LATN", offset=5120)
    assert str(error) == "truncated in chunk LATN at byte 5120"


def test_text_without_a_chunk_names_the_byte() -> None:
    assert str(FormatError("not a slic file", offset=0)) == "not a slic file at byte 0"


def test_root_of_all_errors_lives_here() -> None:
    assert issubclass(FormatError, SlicError)
