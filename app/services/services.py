"""The services that pages share, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.jobs import JobRunner
from app.player.devices import SoundDevices
from app.player.output import SoundOutput
from app.player.player import Player
from app.services.indexing import Index, Indexing, index_library, look_for_changes
from app.services.kept import Kept
from app.services.open_library import OpenLibrary
from app.services.search_service import SearchService
from app.settings import INDEX_SPEED, Settings
from app.ui.theme import Theme
from engine.paths import cache_path
from engine.search import Searcher
from engine.separation.vocals_cache import VocalsCache


@dataclass
class Services:
    """What the window works with; a test brings a player without a device, for example."""

    open_library: OpenLibrary
    settings: Settings
    theme: Theme
    player: Player
    indexing: Indexing
    search: SearchService
    demo_path: Path | None = None
    vocals: VocalsCache = field(default_factory=lambda: VocalsCache(cache_path() / "vocals"))
    devices: SoundDevices = field(default_factory=SoundDevices)
    kept: Kept = field(init=False)

    def __post_init__(self) -> None:
        self.kept = Kept(self.open_library, self.open_library)


def make_services(library_path: Path, settings: Settings, theme: Theme) -> Services:
    """The real ones, for a library that is opened later."""
    runner = JobRunner()
    open_library = OpenLibrary(library_path, runner)
    runner.setParent(open_library)
    search = SearchService(runner, lambda: Searcher(open_library.source))
    devices = SoundDevices()
    player = Player(make_output=lambda fill: SoundOutput(fill, devices))

    def at_speed(work: Callable[..., Any]) -> Index:
        """With as many cores as the person lets it have at the moment it starts."""
        return lambda *run: work(*run, settings.get(INDEX_SPEED))

    return Services(
        open_library,
        settings,
        theme,
        player,
        Indexing(open_library, at_speed(index_library), at_speed(look_for_changes)),
        search,
        devices=devices,
    )
