"""Properties of chunks: nobody is lost, nobody is there twice, and order does not matter."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from xnovu.core.ids import RECIPIENTS_PER_TRIGGER
from xnovu.core.recipients import chunks

names = st.lists(st.integers(0, 400).map(str), max_size=450)


@given(names, names, st.randoms())
def test_chunks_cover_everybody_once_in_any_order(
    people: list[str], topics: list[str], random: Random
) -> None:
    found = chunks(people, topics)
    assert sorted(name for chunk in found for name in chunk.recipients) == sorted(set(people))
    assert sorted(name for chunk in found for name in chunk.topics) == sorted(set(topics))
    assert [chunk.index for chunk in found] == list(range(len(found)))
    sizes = [len(chunk.recipients) + len(chunk.topics) for chunk in found]
    assert all(size == RECIPIENTS_PER_TRIGGER for size in sizes[:-1])
    assert all(0 < size <= RECIPIENTS_PER_TRIGGER for size in sizes)
    random.shuffle(people)
    random.shuffle(topics)
    assert chunks(people, topics) == found
