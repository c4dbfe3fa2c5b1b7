"""What the SDK would name by the time is named by content, and by nothing else."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mlops.compose.content_stamps import STAMP, by_content

KEY = "job-20000101000005/input/code/train.py"
Uploads = dict[tuple[str, str], str]


def placed(uploads: Uploads, *definitions: str, pipeline: str = "churn") -> tuple[list[str], list[str]]:
    texts, moved = by_content([pipeline], definitions, uploads)
    assert list(moved.values()) == list(uploads.values())
    return texts, [key for _, key in moved]


def test_the_same_content_has_the_same_name_and_another_another() -> None:
    one, again, other = (placed({("b", KEY): content}, f"s3://b/{KEY}") for content in ("1", "1", "2"))
    assert one == again and one[1] != other[1]
    assert one[0] == [f"s3://b/{one[1][0]}"]
    assert re.fullmatch(r"job-20\d{12}/input/code/train.py", one[1][0])


def test_the_count_itself_says_nothing() -> None:
    first = placed({("b", KEY): "1"})
    assert placed({("b", KEY.replace("000005", "000007")): "1"}) == first


def test_whatever_lies_below_counts() -> None:
    driver = KEY.replace("train", "driver")
    keys = [placed({("b", KEY): "1", ("b", driver): content})[1] for content in "ab"]
    assert keys[0][0] != keys[1][0]


def test_two_jobs_of_the_same_code_stay_two() -> None:
    other = KEY.replace("000005", "000006")
    texts, keys = placed({("b", KEY): "1", ("b", other): "1"}, f"{KEY} {other}")
    assert keys[0] != keys[1] and texts == [" ".join(keys)]


def test_two_pipelines_write_to_two_places() -> None:
    text = f"s3://b/job-{STAMP.format(1)}/output and tuning-946684801"
    one, other = (placed({}, text, pipeline=name)[0] for name in ("churn", "price"))
    assert one != other == placed({}, text, pipeline="price")[0]
    assert len(one[0]) == len(text) and re.search(r"tuning-94\d{7}$", one[0])


@given(st.text(), st.integers())
def test_what_is_no_count_stays(text: str, number: int) -> None:
    for kept in (text, f"model-{number}", "2024-05-01-10-00-00-123", "120000101000005", "20000101", "946684801000"):
        if "2000" not in text and "9466" not in text:
            assert placed({("b", kept): "1"}, kept) == ([kept], [kept])
