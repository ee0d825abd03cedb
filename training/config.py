"""One readable config per training system. Unknown keys are errors."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from training.errors import ConfigError

SYSTEMS_PATH = Path(__file__).parent / "systems"
Architecture = Literal["campp", "cvsm", "ge2e", "dvector"]
Stem = Literal["mixture", "vocals"]
# How a run is carried out, and in what a checkpoint compares.
StemsMode = Literal["auto", "resident", "stream"]
Precision = Literal["auto", "float32", "bfloat16"]
SpaceKind = Literal["band", "voice"]


@dataclass(frozen=True)
class EncoderSettings:
    """Which network is trained.

    Attributes:
        architecture: ``campp`` (CAM++), ``cvsm`` (EfficientNet-B0 as in CVSM.md), ``ge2e`` or
            ``dvector`` (LSTMs on 40 mels, small and large).
        init: name or folder of a model whose weights it starts from; "" starts from scratch.
        excerpt_samples: input at 16 kHz of ``cvsm``, and of ``campp`` in training (in use it hears
            whole segments); the others have lengths of their own.
        frozen_statistics: batch norms keep the statistics of ``init``.
    """

    architecture: Architecture = "cvsm"
    init: str = ""
    excerpt_samples: int = 16_000
    pooling: Literal["max", "mean"] = "max"
    drop_connect: float = 0.2
    frozen_statistics: bool = False


@dataclass(frozen=True)
class PairSettings:
    """How a pair (anchor, positive) is drawn and mixed.

    Attributes:
        anchor, positive: stem each is cut from: ``mixture`` or ``vocals``.
        same: where the positive comes from: the anchor's ``segment``, any segment of the
            ``artist``, or one of another song of the artist (``other-song``).
        artificial: probability that an anchor is an artificial mixture: its vocals over another
            song's accompaniment (CVSM, section 3.2). positive_artificial: the same for positives.
        clean: share of artificial mixtures that get no accompaniment at all.
        mix: ``paper``: w·accompaniment + (1 − w²)·vocals, w uniform in mix_weight;
            ``ratio``: accompaniment at backing_db relative to the vocals, energy kept at 1.
        balance: an artist is drawn with a probability in proportion to (segments ** balance):
            1 = all segments alike, 0 = all artists alike.
    """

    anchor: Stem = "mixture"
    positive: Stem = "vocals"
    same: Literal["segment", "artist", "other-song"] = "segment"
    artificial: float = 0.0
    positive_artificial: float = 0.0
    clean: float = 0.0
    mix: Literal["paper", "ratio"] = "paper"
    mix_weight: tuple[float, float] = (0.6, 0.8)
    backing_db: tuple[float, float] = (-12.0, 6.0)
    balance: float = 1.0


@dataclass(frozen=True)
class AugmentSettings:
    """What is done to excerpts. Zero switches each off.

    Attributes:
        voice_steps: voices are resampled to 2·voice_steps + 1 speeds; each speed of a singer
            counts as a singer of its own (pitch and formants move together).
        voice_range: natural logarithm of the fastest speed; the slowest is its inverse.
        eq_db: standard deviation of a smooth random frequency response.
        level_db: standard deviation of a random gain.
        rooms: share of the excerpts whose voice sounds in a room, another one each time.
    """

    voice_steps: int = 0
    voice_range: float = 0.2
    eq_db: float = 0.0
    level_db: float = 0.0
    rooms: float = 0.0


@dataclass(frozen=True)
class LossSettings:
    """The contrastive loss.

    Attributes:
        head: ``bilinear`` (the paper: linear to 512, layer norm, tanh, aᵀWp) or ``cosine``
            (between centred embeddings, learned temperature, no projection).
        symmetric: also positive -> anchor.
        mask_same_artist: pairs of the same singer are no negatives.
        temperature: start value for the cosine head.
        weight: of the contrastive loss in the total.
    """

    head: Literal["bilinear", "cosine"] = "bilinear"
    symmetric: bool = False
    mask_same_artist: bool = False
    temperature: float = 0.1
    weight: float = 1.0


@dataclass(frozen=True)
class DistilSettings:
    """Learning from a teacher that hears the clean voice.

    Attributes:
        teacher: name or folder of a model, "" for none. What it hears in the clean song is the
            target.
        space: name or folder of a model in whose space, that is after the centre and transform of
            its vocals, ``match``, ``contrast`` and ``denoise`` compare; "" compares as the networks
            give it. Such a space weighs directions as a search does, instead of what all share.
        match: weight of (1 − cosine) between the target and a linear map of the embedding; with a
            ``space`` that is the map.
        contrast: weight of InfoNCE between the same two over the batch.
        denoise: weight of (1 − cosine) between the embedding itself and the teacher's of the very
            same excerpt without accompaniment. Teacher and student must be alike in shape.
        gram: weight of the squared difference of all cosines in the batch, embeddings against
            targets, both centred: shapes the very similarities that a search uses.
    """

    teacher: str = ""
    space: str = ""
    match: float = 1.0
    contrast: float = 0.0
    gram: float = 0.0
    denoise: float = 0.0

    @property
    def has_targets(self) -> bool:
        """Whether targets per song are needed."""
        return bool(self.teacher) and max(self.match, self.contrast, self.gram) > 0


@dataclass(frozen=True)
class OptimSettings:
    """Optimiser and schedule. One batch is one optimiser step.

    Attributes:
        schedule: ``halve`` (the paper: when the running validation loss has not improved for
            halve_after batches), ``cosine`` (to zero over num_batches) or ``constant``.
        stop_after: early stop when it has not improved for so many batches; 0 never stops.
        validate_every: batches between validations; 0: an eightieth of the run, 100 at least. (The
            paper's 10 steps of 64 batches would take a quarter of a GPU's time.)
        average: share of num_batches, at the end, over whose batches the network's weights are
            averaged (Izmailov et al., 2018); ``export`` takes the average. 0, and a run that was
            left off before, take the last weights.
    """

    optimiser: Literal["adam", "adamw"] = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    num_pairs: int = 128
    num_batches: int = 512_000
    warmup_batches: int = 0
    schedule: Literal["halve", "cosine", "constant"] = "halve"
    halve_after: int = 64_000
    stop_after: int = 0
    validate_every: int = 0
    clip_norm: float = 0.0
    average: float = 0.0

    @property
    def batches_between_validations(self) -> int:
        return self.validate_every or max(100, self.num_batches // 80)


@dataclass(frozen=True)
class StageSettings:
    """A later part of the run, with its own share of artificial mixtures and learning rate.

    Attributes:
        starts_at: share of num_batches after which it begins.
    """

    starts_at: float
    artificial: float
    learning_rate: float


@dataclass(frozen=True)
class SystemConfig:
    """Everything that makes a training system; a row of CVSM.md's table."""

    name: str
    title: str
    seed: int = 0
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    pairs: PairSettings = field(default_factory=PairSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    distil: DistilSettings = field(default_factory=DistilSettings)
    optim: OptimSettings = field(default_factory=OptimSettings)
    stages: tuple[StageSettings, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.optim.average <= 1:
            raise ConfigError("optim.average is a share of the run, from 0 to 1.")
        if self.optim.num_pairs < 2:
            raise ConfigError("optim.num_pairs must be at least 2: a pair needs negatives.")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def system_names() -> list[str]:
    return sorted(path.stem for path in SYSTEMS_PATH.glob("*.toml"))


def load_system(name_or_path: str, overrides: Sequence[str] = ()) -> SystemConfig:
    """A system by name or from a TOML file, with ``section.key=value`` overrides (TOML values).

    Raises:
        ConfigError: unknown system, unknown key, wrong type, impossible value.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = SYSTEMS_PATH / f"{name_or_path}.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"There is no system {name_or_path!r}. Choose one of {', '.join(system_names())}, "
            "or name a .toml file."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    for override in overrides:
        _override(values, override)
    return config_from(values, str(path))


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise ConfigError(f"--set {override}: write it as section.key=value.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string
    *sections, last = key.strip().split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise ConfigError(
                f"--set {override}: {section} has no settings of its own. Give all of it at once, "
                "such as --set 'stages=[{starts_at=0.5, artificial=0.0, learning_rate=1e-4}]'."
            )
    values[last] = value


def config_from(values: Mapping[str, Any], where: str = "the config") -> SystemConfig:
    """From nested plain values (TOML or JSON). Raises ConfigError."""
    built = _build(SystemConfig, values, where)
    assert isinstance(built, SystemConfig)
    return built


def _build(kind: type, values: Any, where: str) -> Any:
    """Recursively, with every key known and every value of its field's type."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} must be a table of settings, not {values!r}.")
    known = {f.name for f in fields(kind)}
    if unknown := sorted(set(values) - known):
        raise ConfigError(
            f"Unknown key(s) in {where}: {', '.join(unknown)}. Known: {', '.join(sorted(known))}."
        )
    needed = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
    if missing := sorted(needed - set(values)):
        raise ConfigError(f"{where} is incomplete. It lacks: {', '.join(missing)}.")
    hints = get_type_hints(kind)
    return kind(
        **{name: _value(hints[name], value, f"{where}: {name}") for name, value in values.items()}
    )


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint):
        assert isinstance(hint, type)
        return _build(hint, value, where)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{where} must be one of {', '.join(get_args(hint))}, not {value!r}.")
        return value
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where} must be a list, not {value!r}.")
        if get_args(hint)[-1] is not ... and len(value) != len(get_args(hint)):
            raise ConfigError(f"{where} must have {len(get_args(hint))} values.")
        return tuple(_value(item, entry, where) for entry in value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if hint is float and is_number:
        return float(value)
    if not isinstance(value, hint) or (hint is int and not is_number):
        raise ConfigError(f"{where} must be {hint.__name__}, not {value!r}.")
    return value
