from slic.naming import distinct


def named(*inputs: str) -> list[str]:
    return distinct([(f"{name.rpartition('.')[0] or name}.slic", f"{name}.slic") for name in inputs])


def test_a_name_that_nobody_else_has_is_short() -> None:
    assert named("a.png", "b.png") == ["a.slic", "b.slic"]


def test_all_that_would_share_a_name_have_long_ones() -> None:
    assert named("a.jpg", "a.png", "b.png") == ["a.jpg.slic", "a.png.slic", "b.slic"]


def test_their_order_does_not_matter() -> None:
    assert named("a.png", "a.jpg") == ["a.png.slic", "a.jpg.slic"]


def test_a_long_name_is_not_the_short_one_of_another() -> None:
    assert named("a.jpg", "a.png", "a.png.tiff") == ["a.jpg.slic", "a.png.slic", "a.png.tiff.slic"]


def test_an_input_without_a_suffix_has_one_name() -> None:
    assert named("a", "a.png") == ["a.slic", "a.png.slic"]


def test_names_that_differ_in_case_alone_are_shared() -> None:
    assert named("A.jpg", "a.png") == ["A.jpg.slic", "a.png.slic"]


def test_what_cannot_be_told_apart_stays_shared() -> None:
    assert named("a.png", "a.png") == ["a.png.slic", "a.png.slic"]
