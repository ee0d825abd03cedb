"""The queue: what plays next, however it is changed, and after a restart."""

from __future__ import annotations

import json
import os
import weakref
from pathlib import Path

import pytest

from app.player.queue import PlayQueue, Repeat, Side, Sound


def sound(name: str) -> Sound:
    return Sound(Path(f"/music/{name}.mp3"), name, "Alma", 180.0, ord(name[0]), "Album")


def sounds(names: str) -> list[Sound]:
    return [sound(name) for name in names]


def titles(queue: PlayQueue) -> str:
    return "".join(entry.sound.title for entry in queue.entries)


@pytest.fixture
def queue() -> PlayQueue:
    """Five songs, the second of which plays."""
    queue = PlayQueue()
    queue.begin(Side.QUERY, sounds("abcde"), 1)
    return queue


def test_songs_are_added_next_or_at_the_end(queue):
    queue.add(sounds("xy"), is_next=True)
    queue.add(sounds("z"))
    assert titles(queue) == "abxycdez"
    assert queue.current == sound("b")
    assert queue.following == sound("x")


def test_songs_added_to_nothing_wait_to_be_played():
    queue = PlayQueue()
    queue.add(sounds("xy"))
    assert queue.current is None
    assert queue.has_next
    queue.go_to(queue.place_after)
    assert queue.current == sound("x")


def test_songs_that_somebody_chose_outlive_what_is_begun_next(queue):
    queue.add(sounds("x"), is_next=True)
    queue.add(sounds("y"), is_chosen=False)
    queue.begin(Side.RESULT, sounds("pqr"))
    assert titles(queue) == "pxqr"
    assert queue.side is Side.RESULT


@pytest.mark.parametrize(
    ("rows", "to", "expected"),
    [([3], 0, "dabce"), ([0], 5, "bcdea"), ([2, 4], 1, "aceb" + "d"), ([1], 4, "acdbe")],
)
def test_moving_never_changes_what_plays(queue, rows, to, expected):
    queue.move(rows, to)
    assert titles(queue) == expected
    assert queue.current == sound("b")


def test_all_but_the_song_that_plays_can_be_removed(queue):
    queue.remove([0, 1, 3])
    assert titles(queue) == "bce"
    assert queue.current == sound("b")
    queue.clear()
    assert titles(queue) == "b"
    assert not queue.has_next


def test_repeat_goes_round_or_stays(queue):
    queue.go_to(4)
    assert queue.following is None
    queue.set_repeat(Repeat.ALL)
    assert queue.following == sound("a")
    queue.advance()
    assert queue.current == sound("a")
    queue.set_repeat(Repeat.ONE)
    queue.advance()
    assert queue.current == queue.following == sound("a")
    queue.go_to(queue.place_after)  # who asks for the next one means it
    assert queue.current == sound("b")


def test_shuffled_songs_go_back_to_their_order(queue):
    queue.begin(Side.QUERY, sounds("abcdefghijklmnopqrstuvwxyz"), 1)
    queue.set_shuffled(True)
    assert titles(queue)[:2] == "ab"
    assert sorted(titles(queue)) == sorted("abcdefghijklmnopqrstuvwxyz")
    assert titles(queue) != "abcdefghijklmnopqrstuvwxyz"
    queue.set_shuffled(False)
    assert titles(queue) == "abcdefghijklmnopqrstuvwxyz"
    queue.set_shuffled(True)
    queue.begin(Side.QUERY, sounds("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    assert titles(queue)[0] == "A"
    assert titles(queue) != "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def test_shuffled_songs_that_are_taken_out_are_not_kept(queue):
    queue.set_shuffled(True)
    gone = weakref.ref(queue.coming[0])
    queue.clear()
    assert titles(queue) == "b"
    assert gone() is None


def test_the_queue_comes_back_as_it_was(queue):
    odd = Path(os.fsdecode(b"/music/caf\xe9.mp3"))  # a name that is no text
    queue.add([Sound(odd, "odd", "", None)], is_next=True)
    queue.set_repeat(Repeat.ALL)
    other = PlayQueue()
    other.restore(json.loads(json.dumps(queue.state())))
    assert [entry.sound for entry in other.entries] == [entry.sound for entry in queue.entries]
    assert (other.current, other.repeat) == (sound("b"), Repeat.ALL)
    other.begin(Side.QUERY, sounds("z"))
    assert [entry.sound.title for entry in other.entries] == ["z", "odd"]


def test_a_long_queue_comes_back_around_the_song_that_plays():
    queue = PlayQueue()
    queue.begin(Side.QUERY, [sound("x")] * 5000 + sounds("abc"), 5000)
    other = PlayQueue()
    other.restore(queue.state())
    assert other.current == sound("a")
    assert len(other.coming) == 2


@pytest.mark.parametrize(
    "change",
    [{"place": 9}, {"place": "x"}, {"repeat": "?"}, {"songs": [["a"]]}, {"songs": None}],
)
def test_a_queue_that_makes_no_sense_is_left_alone(queue, change):
    other = PlayQueue()
    with pytest.raises((KeyError, TypeError, ValueError)):
        other.restore({**queue.state(), **change})
    assert other.entries == []
