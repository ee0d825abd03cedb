import pytest
from support.libraries import VOCALS, add_tracks, put_vectors

from engine.errors import LibraryError
from engine.library import Library, Tags
from engine.library.kept.marks import marked_apart, marks, put_mark
from engine.library.kept.searches import delete_search, put_search, searches
from engine.search import Searcher, SearchOptions


@pytest.fixture
def library(tmp_path):
    with Library.open(tmp_path / "library.db") as library:
        tags = [Tags(title=f"Song {i}", artist=f"Artist {i}") for i in range(5)]
        ids = add_tracks(library, tmp_path / "music", tags)
        turned = {one: [10, number] + [0] * 14 for number, one in enumerate(ids)}
        put_vectors(library, VOCALS, turned)
        yield library


def found(library: Library, *ids: int, **options) -> list[int]:
    result = Searcher(library).by_tracks(ids, SearchOptions(**options))
    return [neighbour.track.id for neighbour in result.neighbours]


def test_a_pair_has_one_mark_whichever_is_named_first(library):
    first, second, *_ = library.track_ids()
    put_mark(library.database, first, second, False)
    put_mark(library.database, second, first, True)
    ((song, other, is_same),) = [(m.song, m.other, m.is_same) for m in marks(library.database)]
    assert ({song.track_id, other.track_id}, is_same) == ({first, second}, True)
    put_mark(library.database, second, first, None)
    assert marks(library.database) == []


def test_what_is_marked_as_another_voice_leaves_the_answers_of_both(library):
    first, second, *_ = library.track_ids()
    assert second in found(library, first)
    put_mark(library.database, first, second, False)
    assert second not in found(library, first)
    assert first not in found(library, second)
    assert second in found(library, library.track_ids()[2])
    assert marked_apart(library.database, [second]) == {first}
    put_mark(library.database, first, second, True)
    assert second in found(library, first)


def test_a_mark_needs_two_songs(library):
    first = library.track_ids()[0]
    for other in (first, 99):
        with pytest.raises(LibraryError, match="two different songs"):
            put_mark(library.database, first, other, True)


def test_several_songs_are_one_question(library):
    ids = library.track_ids()
    assert found(library, ids[0], ids[4])[0] == ids[2]  # between the two
    result = Searcher(library).by_tracks([ids[0], ids[4], ids[0]])
    assert [track.id for track in result.query.tracks] == [ids[0], ids[4]]
    assert result.query.track is not None


def test_the_artists_of_all_songs_asked_with_are_left_out(library, tmp_path):
    ids = library.track_ids()
    (same,) = add_tracks(library, tmp_path / "music", [Tags(title="More", artist="Artist 4")])
    put_vectors(library, VOCALS, {same: [10, 4] + [0] * 14})
    assert same in found(library, ids[0], ids[4])
    assert same not in found(library, ids[0], ids[4], other_artists=True)
    assert same not in found(library, ids[4], ids[0], other_artists=True)


def test_saved_searches_are_kept_by_name(library):
    put_search(library.database, "Near", {"songs": [1]})
    put_search(library.database, "near", {"songs": [2]})
    assert searches(library.database) == {"near": {"songs": [2]}}
    delete_search(library.database, "near")
    assert searches(library.database) == {}
    with pytest.raises(LibraryError, match="name"):
        put_search(library.database, " ", {})
