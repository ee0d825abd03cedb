import os
import shutil
import unicodedata
from pathlib import Path

import pytest
from support.libraries import write_song

from engine.errors import LibraryError
from engine.library import Library
from engine.library.kept.marks import favourites, set_favourite
from engine.library.kept.playlists import (
    add_songs,
    create,
    delete,
    import_m3u,
    playlist_named,
    playlists,
    rename,
    set_songs,
    songs_of,
)
from engine.library.kept.songs import keep, keep_files
from engine.library.scan.scan import scan


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for number in range(4):
        write_song(tmp_path / "music" / f"{number}.wav", 200 + 10 * number)
    return tmp_path / "music"


@pytest.fixture
def library(tmp_path: Path, music: Path):
    with Library.open(tmp_path / "library.db") as library:
        scan(library, [music])
        yield library


def tracks_in(library: Library, name: str) -> list[int | None]:
    playlist = playlist_named(library.database, name)
    return [song.track_id for song in songs_of(library.database, playlist.id)]


def names_in(library: Library, name: str) -> list[str | None]:
    """The files of a playlist's songs, None for those that the library does not hold."""
    ids = tracks_in(library, name)
    return [None if one is None else library.track(one).path.name for one in ids]


def kept(library: Library, *ids: int) -> list[int]:
    return keep(library.database, ids)


def test_a_playlist_keeps_its_order_and_a_song_that_is_twice_in_it(library):
    ids = library.track_ids()
    create(library.database, "Evenings", kept(library, ids[2], ids[0], ids[2]))
    assert tracks_in(library, "evenings") == [ids[2], ids[0], ids[2]]


def test_songs_are_added_taken_out_and_moved(library):
    first, second, third, _ = library.track_ids()
    db = library.database
    one = create(db, "One", kept(library, first))
    add_songs(db, one, kept(library, second, third))
    songs = songs_of(db, one)
    assert [song.track_id for song in songs] == [first, second, third]
    set_songs(db, one, [songs[2].id, songs[0].id])
    assert tracks_in(library, "One") == [third, first]
    assert [(found.name, found.num_songs) for found in playlists(db)] == [("One", 2)]


def test_names_are_told_apart_without_case_and_need_letters(library):
    db = library.database
    one, two = create(db, "One"), create(db, "Two")
    for name in ("one", " "):
        with pytest.raises(LibraryError, match="name"):
            create(db, name)
        with pytest.raises(LibraryError, match="name"):
            rename(db, two, name)
    rename(db, one, "ONE")
    assert [found.name for found in playlists(db)] == ["ONE", "Two"]
    delete(db, two)
    with pytest.raises(LibraryError, match="“ONE”"):
        playlist_named(db, "Two")


def test_songs_stay_when_their_files_move_and_change(library, music):
    ids = library.track_ids(sort="path")
    create(library.database, "One", kept(library, *ids))
    (music / "new").mkdir()
    (music / "0.wav").rename(music / "new" / "moved.wav")
    write_song(music / "1.wav", 700)
    (music / "2.wav").unlink()
    scan(library, [music])
    names = [library.track(one).path.name for one in tracks_in(library, "One") if one]
    assert names == ["moved.wav", "1.wav", "2.wav", "3.wav"]


def test_a_forgotten_folder_leaves_its_songs_to_be_found_again(library, music, tmp_path):
    ids = library.track_ids(sort="path")
    create(library.database, "One", kept(library, ids[1], ids[0]))
    set_favourite(library.database, [ids[0]], True)
    library.forget_folder(music)
    assert names_in(library, "One") == [None, None]
    (heart,) = favourites(library.database)
    assert (heart.track_id, heart.path) == (None, music / "0.wav")
    write_song(tmp_path / "other" / "x.wav", 900)
    scan(library, [tmp_path])  # a folder above, so each path has another beginning in the library
    assert names_in(library, "One") == ["1.wav", "0.wav"]
    assert library.track(favourites(library.database)[0].track_id).path == music / "0.wav"


def test_a_forgotten_song_is_found_by_its_sound_under_another_name(library, music, tmp_path):
    from engine.library.kept.songs import relink
    from engine.sound.audio import audio_hash

    (first, *_) = library.track_ids(sort="path")
    sound = audio_hash(music / "0.wav")
    with library.database.write() as db:
        db.execute("UPDATE track SET audio_hash = ? WHERE id = ?", (sound, first))
    create(library.database, "One", kept(library, first))
    library.forget_folder(music)
    shutil.move(music / "0.wav", tmp_path / "elsewhere.wav")
    shutil.move(tmp_path / "elsewhere.wav", music / "renamed.wav")
    scan(library, [music])
    assert names_in(library, "One") == [None]  # nobody has heard it yet
    with library.database.write() as db:
        db.execute("UPDATE track SET audio_hash = ? WHERE rel_path = ?", (sound, b"renamed.wav"))
    assert relink(library.database) == 1
    assert names_in(library, "One") == ["renamed.wav"]


def test_hearts_are_given_and_taken_and_the_latest_come_first(library):
    first, second, *_ = library.track_ids()
    db = library.database
    for ids in ([first], [second], [first]):
        set_favourite(db, ids, True)
    assert [song.track_id for song in favourites(db)] == [second, first]
    set_favourite(db, [second], False)
    assert [song.track_id for song in favourites(db)] == [first]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_files_are_found_in_any_unicode_form_and_strangers_wait(library, music, form):
    write_song(music / unicodedata.normalize("NFD", "Jóga Ünï.wav"), 300)
    scan(library, [music])
    asked = music / unicodedata.normalize(form, "Jóga Ünï.wav")
    stranger = music.parent / "later" / "a.wav"
    songs = keep_files(library.database, [(asked, ""), (stranger, "Some - Song"), (asked, "")])
    create(library.database, "One", songs)
    on_disk = unicodedata.normalize("NFD", "Jóga Ünï.wav")
    assert names_in(library, "One") == [on_disk, None, on_disk]
    write_song(stranger, 800)
    scan(library, [stranger.parent])
    assert names_in(library, "One")[1] == "a.wav"


@pytest.mark.linux
def test_a_playlist_from_elsewhere_opens_nothing_that_it_names(library, tmp_path):
    """A pipe that nobody writes to would be waited for without end."""
    os.mkfifo(tmp_path / "pipe.mp3")
    named = [
        "pipe.mp3",
        "/dev/zero",
        "/proc/self/environ",
        "http://192.0.2.1/a.mp3",
        "s3://b/a.mp3",
    ]
    file = tmp_path / "theirs.m3u8"
    file.write_text("\n".join(named))
    before = library.track_ids()
    songs = songs_of(library.database, import_m3u(library.database, file))
    assert [song.track_id for song in songs] == [None] * len(named)
    assert library.track_ids() == before
