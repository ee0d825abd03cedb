"""Connects finding and hearing: the song asked for, the result chosen, their moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QModelIndex, QObject, QTimer

from app.find.results_panel import ResultList, ResultsPanel
from app.library.covers import cover_seed
from app.player.fetching import VocalsFetcher, WaveformCache
from app.player.player import Side, Sound
from app.player.queue import sound_of_file, sound_of_track
from app.services.search_service import Answer, Question
from app.services.services import Services
from app.ui.shortcuts import noop
from app.ui.text_format import num_songs, one_line, title_of
from engine.library import Track
from engine.records import VoicePortrait
from engine.search import Neighbour
from engine.sound.loudness import Loudness

PATIENCE_MS = 400
YOUR_VOICE = (noop("Your voice"), noop("from the microphone"))


class Comparison(QObject):
    """Behaviour of the right side. A result that is chosen is shown; it sounds only when played."""

    def __init__(self, panel: ResultsPanel, services: Services) -> None:
        super().__init__(panel)
        self._panel = panel
        self._search, self._player = services.search, services.player
        self._indexing, runner = services.indexing, services.open_library.runner
        self._waveforms = WaveformCache(runner, self)
        self.vocals = VocalsFetcher(runner, services.vocals, self)
        self._question: Question | None = None
        self._typical: Track | None = None  # of several songs asked with
        self._chosen: Neighbour | None = None
        self._query_voice: VoicePortrait | None = None
        self._last_moment = -1
        self._chosen_soon: int | None = None
        self._wait = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._wait.timeout.connect(self._say_searching)
        self._search.asked.connect(self._asked)
        self._search.answered.connect(self._answered)
        self._search.failed.connect(self._failed)
        panel.query_row.stretch_requested.connect(self._ask_with_query)
        panel.result_row.stretch_requested.connect(self._ask_with_result)
        for row in (panel.query_row, panel.result_row):
            row.moment_chosen.connect(self._play_moment)
        for results in panel.lists.values():
            self._connect_list(results)
        self._connect_player()

    def _connect_player(self) -> None:
        player, vocals = self._player, self.vocals
        player.state_changed.connect(self._show_playing)
        player.loaded.connect(self._show_playing)
        player.loaded.connect(self._follow_queue)
        player.queue.changed.connect(self._measure_next)
        self._waveforms.measured.connect(player.put_loudness)
        player.vocals_wanted.connect(self._fetch_vocals)
        vocals.arrived.connect(self._vocals_arrived)

    def _connect_list(self, results: ResultList) -> None:
        view = results.view
        view.chosen.connect(self._choose)
        view.play_requested.connect(lambda one: self.play_result(one, results.model.neighbours))
        view.moment_requested.connect(self._moment_clicked)
        view.find_requested.connect(lambda neighbour: self._search.find_track(neighbour.track))

    # Finding

    def _asked(self, question: Question) -> None:
        self._panel.show_main()
        self._panel.arrange(self._search.lists_for(question))
        self._wait.start()
        if question == self._question:
            return  # other filters, the same song
        self._question, self._query_voice, self._typical = question, None, None
        self._choose(None)
        if question.artist is not None or question.others:  # the answer brings the song to play
            text = self.tr("Voices like these {songs}")
            if question.artist is not None:
                text = self.tr("Voices like {artist}’s")
            artist, songs = one_line(question.artist or ""), num_songs(len(question.tracks))
            self._panel.query_row.set_sound(None)
            self._panel.query_row.set_hint(text.format(artist=artist, songs=songs))
            return
        seed = cover_seed(question.track) if question.track is not None else str(question.path)
        self._show_query(sound_of(question), seed, question.track)
        self._panel.query_row.show_stretch(question.part_s)

    def _ask_with_query(self, start_s: float, end_s: float) -> None:
        """With a stretch of the song that is shown; it is listened to anew."""
        question = self._question if self._typical is None else Question.of(self._typical)
        if question is not None:
            self._search.find(replace(question, others=(), part_s=(start_s, end_s)))

    def _ask_with_result(self, start_s: float, end_s: float) -> None:
        if self._chosen is not None:
            question = Question.of(self._chosen.track)
            self._search.find(replace(question, part_s=(start_s, end_s)))

    def mark_stretch(self, is_start: bool) -> None:
        """On the song that is heard, at the place where it is."""
        is_result = self._player.side == Side.RESULT
        row = self._panel.result_row if is_result else self._panel.query_row
        row.mark_stretch(is_start)

    def _show_query(self, sound: Sound, seed: str, track: Track | None) -> None:
        row = self._panel.query_row
        if sound != row.sound:
            row.set_sound(sound, seed, track.heard if track is not None else ())
            self._waveforms.request("query", sound.path, row.set_shape)
            self._player.pick(sound)

    def _say_searching(self) -> None:
        """Most answers are there before anybody could read this."""
        question, text = self._question, self.tr("Searching…")
        if question is not None and not question.is_known:
            text = self.tr("Listening to the file. This takes some seconds…")
            if question.part_s is not None:
                text = self.tr("Listening to the stretch. This takes some seconds…")
            if question.is_voice:
                text = self.tr("Listening to your voice…")
        self._panel.show_message(text)

    def _failed(self, reason: str) -> None:
        self._wait.stop()
        self._panel.show_message(reason)

    def _answered(self, answer: Answer) -> None:
        self._wait.stop()
        chosen = self._chosen
        self._panel.show_answer(
            self._put_patiently(answer) if self._indexing.is_running else answer
        )
        self._show_typical(answer)
        queries = [found.query for found in answer.lists.values() if not isinstance(found, str)]
        if heard := next((query.heard for query in queries if query.heard), ()):
            self._panel.query_row.show_heard(heard)  # in a file; of tracks it is known before
        voices = (query.portrait for query in queries if query.portrait)
        self._query_voice = voice = next(voices, None)
        if voice is not None and answer.question.is_voice:
            self._panel.filter_button.sheet.set_my_range((voice.lowest_note, voice.highest_note))
        self._show_portraits()
        if chosen is not None:
            self._choose(chosen)  # it stays on show, in whatever place it is now
        if self._chosen_soon is not None:
            self._show_result(self._chosen_soon)
            self._chosen_soon = None

    def _put_patiently(self, answer: Answer) -> Answer:
        """Nothing is wrong with a song that has not been listened to yet."""
        track = answer.question.track
        if track is None or track.has_vocals is False:
            return answer
        voices = self.tr("The voices are still being separated. Results appear here by themselves.")
        songs = self.tr("The songs are still being listened to. Results appear here by themselves.")
        lists = {
            by: (songs if by == "overall" else voices) if isinstance(found, str) else found
            for by, found in answer.lists.items()
        }
        return replace(answer, lists=lists)

    def _show_typical(self, answer: Answer) -> None:
        """Of an artist, or of several songs, the most typical one is there to be heard."""
        results = (one for one in answer.lists.values() if not isinstance(one, str))
        query = next((result.query for result in results), None)
        if query is None or query.track is None:
            return
        if query.artist is None and len(query.tracks) < 2:
            return
        name = one_line(query.artist) if query.artist else num_songs(len(query.tracks))
        self._typical = track = query.track
        typical = self.tr("most typical: {title}").format(title=title_of(track))
        sound = Sound(track.path, name, typical, track.duration_s, track.id)
        self._show_query(sound, cover_seed(track), track)

    def _show_portraits(self) -> None:
        chosen = self._chosen.portrait if self._chosen is not None else None
        self._panel.portraits.show_voices(self._query_voice, chosen)

    # Choosing and hearing

    def _choose(self, neighbour: Neighbour | None) -> None:
        row = self._panel.result_row
        self._chosen = neighbour
        self._last_moment = -1
        self._show_portraits()
        if neighbour is None:
            for results in self._panel.lists.values():
                results.view.setCurrentIndex(QModelIndex())
            self._waveforms.cancel("result")
            row.set_sound(None)
            self._panel.query_row.waveform.set_moments(())
            return
        track = neighbour.track
        sound = sound_of_track(track)
        if row.sound != sound:
            row.set_sound(sound, cover_seed(track), track.heard)
            self._waveforms.request("result", track.path, row.set_shape)
        row.waveform.set_moments([moment.start_s for moment in neighbour.moments])
        self._panel.query_row.waveform.set_moments(
            [moment.query_start_s for moment in neighbour.moments]
        )

    def play_result(self, neighbour: Neighbour, among: Sequence[Neighbour] = ()) -> None:
        """From its start, those after it next; on and off when it is the one that sounds."""
        self._choose(neighbour)
        sound = sound_of_track(neighbour.track)
        player = self._player
        if player.sound(Side.RESULT) == sound and player.side == Side.RESULT:
            player.toggle()
        else:
            after = [sound_of_track(n.track) for n in among if n.rank > neighbour.rank]
            player.play(Side.RESULT, sound, after)

    def play_track(self, track: Track, after: Sequence[Track] = ()) -> None:
        """A song of the table, and those below it; it takes the query's side."""
        self._player.play(Side.QUERY, sound_of_track(track), [sound_of_track(t) for t in after])

    def _follow_queue(self, side: Side) -> None:
        """What plays is measured; a result that came up by itself is shown as if chosen."""
        sound = self._player.sound(side)
        if sound is None:
            return
        self._waveforms.request(f"playing {side}", sound.path)
        queue = self._player.queue
        is_by_itself = side == Side.RESULT == queue.side and len(queue.entries) > 1
        if not is_by_itself or sound == self._panel.result_row.sound:
            return
        self._show_result(sound.track_id)

    def _measure_next(self) -> None:
        if (sound := self._player.following) is not None:
            self._waveforms.request("next", sound.path)

    def choose_soon(self, track_id: int) -> None:
        """Of the next answer, this result is on show."""
        self._chosen_soon = track_id

    def _show_result(self, track_id: int | None) -> None:
        for results in self._panel.shown_lists():
            for row, neighbour in enumerate(results.model.neighbours):
                if neighbour.track.id == track_id:
                    results.view.setCurrentIndex(results.model.index(row))
                    self._choose(neighbour)
                    return

    # Vocals

    def _fetch_vocals(self, sounds: list[Sound]) -> None:
        question = self._question
        voice = question.path if question is not None and question.is_voice else None
        self.vocals.want([sound for sound in sounds if sound.path != voice])
        if voice is not None and any(sound.path == voice for sound in sounds):
            self._player.put_vocals(voice, voice)  # nothing but a voice

    def _vocals_arrived(self, path: Path, vocals_path: Path, loudness: Loudness) -> None:
        self._player.put_loudness(vocals_path, loudness)
        self._player.put_vocals(path, vocals_path)

    def toggle_vocals(self) -> None:
        """Vocals alone, or whole songs."""
        if not self._player.is_plain:
            self._player.set_vocals_only(not self._player.is_vocals_only)

    def toggle_loop(self) -> None:
        """Repeats the matching moments that are heard, or the next ones."""
        player = self._player
        if not player.is_linked:
            self.play_next_moment()
        player.set_looping(not player.is_looping)
        if player.is_looping:
            player.resume()

    def play_recording(self, path: Path, duration_s: float) -> None:
        """What was sung into the microphone, on and off."""
        sound = sound_of(Question(None, path, duration_s, is_voice=True))
        if self._player.sound(Side.QUERY) == sound and self._player.side == Side.QUERY:
            self._player.toggle()
        else:
            self._player.play(Side.QUERY, sound)

    def play_next_moment(self) -> None:
        if self._chosen is None:
            neighbour = self._panel.chosen() or next(iter(self._results()), None)
            if neighbour is None:
                return
            self._choose(neighbour)
        if self._chosen is not None and self._chosen.moments:
            self._play_moment((self._last_moment + 1) % len(self._chosen.moments))

    def _results(self) -> tuple[Neighbour, ...]:
        lists = (one.model.neighbours for one in self._panel.shown_lists())
        return next((neighbours for neighbours in lists if neighbours), ())

    def _moment_clicked(self, neighbour: Neighbour, index: int) -> None:
        self._choose(neighbour)
        self._play_moment(index)

    def _play_moment(self, index: int) -> None:
        """Both songs at matching places; the result is heard, X switches to the query."""
        query = self._panel.query_row.sound
        if self._chosen is None or query is None:
            return
        player, result = self._player, sound_of_track(self._chosen.track)
        is_new_pair = player.sound(Side.QUERY) != query or player.sound(Side.RESULT) != result
        moment = self._chosen.moments[index]
        self._last_moment = index
        for side, sound in ((Side.QUERY, query), (Side.RESULT, result)):
            if player.sound(side) != sound:
                player.load(side, sound)
        if is_new_pair:
            player.set_mix(1.0)
        player.jump(moment.query_start_s, moment.start_s)

    def _show_playing(self) -> None:
        sound = self._player.playing
        track_id = sound.track_id if sound is not None else None
        for results in self._panel.lists.values():
            results.view.set_playing(track_id)


def sound_of(question: Question) -> Sound:
    if question.track is not None:
        return sound_of_track(question.track)
    path = question.path
    if question.is_voice:
        title, origin = (QCoreApplication.translate("Comparison", text) for text in YOUR_VOICE)
        return Sound(path, title, origin, question.duration_s)
    return sound_of_file(path, question.duration_s)
