"""The demo library's plan: nothing but the voice may tell who sings."""

from collections import Counter, defaultdict

import pytest

from engine.demo import SONGS, VOICES
from engine.demo.songs import score


def by_singer(field):
    values = defaultdict(list)
    for song in SONGS:
        values[song.artist].append(getattr(song, field))
    return values


def test_eight_singers_sing_three_songs_each():
    assert Counter(song.voice for song in SONGS) == dict.fromkeys(VOICES, 3)
    assert len({song.title for song in SONGS}) == len({song.seed for song in SONGS}) == 24


def test_each_style_is_shared_and_no_singer_keeps_to_one():
    assert all(len(set(styles)) == 3 for styles in by_singer("style").values())
    assert set(Counter(song.style for song in SONGS).values()) == {4}
    assert len({frozenset(styles) for styles in by_singer("style").values()}) == 8


def test_keys_and_tempi_go_round():
    assert all(len(set(keys)) == 3 for keys in by_singer("key").values())
    assert set(Counter(song.key for song in SONGS).values()) == {2}
    ranges = [(min(tempi), max(tempi)) for tempi in by_singer("tempo_bpm").values()]
    assert max(low for low, _ in ranges) < min(high for _, high in ranges)


def test_every_singer_has_two_albums():
    assert {len(set(albums)) for albums in by_singer("album").values()} == {2}
    assert len({(song.artist, song.album, song.track_number) for song in SONGS}) == 24


@pytest.mark.parametrize("song", SONGS, ids=lambda song: song.title)
def test_scores_fit_the_voice_and_leave_room_for_the_band(song):
    music = score(song)
    assert 24 <= music.length_s <= 32
    notes = [note for phrase in music.phrases for note in phrase]
    assert all(abs(note.midi - song.voice.centre_midi) <= 12 for note in notes)
    assert notes[0].start_s > 0.9 * music.bar_s  # an intro
    assert notes[-1].start_s + notes[-1].length_s < music.length_s - 1.0
    sung_s = sum(note.length_s for note in notes)
    assert 0.35 < sung_s / music.length_s < 0.8
    ends = [note.start_s + note.length_s for note in notes]
    assert all(end <= after.start_s + 0.06 for end, after in zip(ends, notes[1:], strict=False))
