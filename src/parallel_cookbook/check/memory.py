"""What tasks read and write besides the primitives: variables, attributes, items, containers.

Two jobs. It *detects data races*: two accesses to one place, one of them a write, that no
synchronisation orders (Flanagan and Freund, "FastTrack", PLDI 2009, with sets of events in place of
vector clocks). And it makes as few scheduling points as is sound: an access becomes a point only when its
site has been seen in a race.

Why that is sound: while every conflicting pair of accesses is ordered by synchronisation, their order
follows from that of the synchronisation, which is explored in full. The first pair that is not ordered
is a race, in some explored execution, and is detected there; its sites become visible, and the
exploration starts again. When an exploration ends without a new race, all unordered conflicts were
between visible sites, whose orders it has explored (Musuvathi et al., "Finding and Reproducing
Heisenbugs", OSDI 2008, section 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parallel_cookbook.check.schedule import site_keys
from parallel_cookbook.kernel import Mode, Operation, Target

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from parallel_cookbook.instrument import SiteTable
    from parallel_cookbook.kernel import Kernel, Task


@dataclass(frozen=True, slots=True)
class Access:
    """One side of a race: who, where, and whether it wrote."""

    task: str
    site: int
    is_write: bool


@dataclass(frozen=True, slots=True)
class Race:
    """Two conflicting accesses that nothing orders, the earlier first."""

    place: str
    """What both accessed, as the source of the second calls it."""
    first: Access
    second: Access


class Place:
    """One place in memory, during one execution: who wrote it last, who has read it since."""

    __slots__ = (
        "_target",
        "is_atomic",
        "keep",
        "last_read_step",
        "last_reader",
        "reads",
        "write_site",
        "write_step",
        "write_task",
    )

    def __init__(self, keep: object, *, is_atomic: bool) -> None:
        self.keep: Final = keep
        """The object it belongs to, kept alive so that its id stays its own."""
        self.is_atomic: Final = is_atomic
        """Whether its accesses are indivisible and synchronise, as those of a container's shape."""
        self._target: Target | None = None
        self.write_task: Task | None = None
        self.write_step = 0
        self.write_site = 0
        self.reads: dict[int, tuple[Task, int, int]] = {}
        """For each task that has read it since the last write: the task, its step, the site."""
        self.last_reader: Task | None = None
        self.last_read_step = 0
        """Who has read it last, and in which of its steps."""

    @property
    def is_looked_at(self) -> bool:
        """Whether an operation on it has been announced or is awaited."""
        return self._target is not None

    @property
    def target(self) -> Target:
        """What operations on it act on; made when a site is visible, which is seldom."""
        if self._target is None:
            self._target = Target(0, "place", is_variable=not self.is_atomic)
        return self._target


class Memory:
    """The places of one execution, and what all executions have taught about the sites."""

    def __init__(self, kernel: Kernel, sites: SiteTable) -> None:
        self.kernel = kernel
        self.sites = sites
        self.places: dict[Hashable, Place] = {}
        self.views: dict[int, tuple[object, object]] = {}
        """For each view of a dict, by its id: the view, which keeps the id its own, and the dict."""
        self.visible: list[bool] = []
        """By site: whether an access there is a scheduling point."""
        self.races: dict[tuple[int, int], Race] = {}
        """All races found so far, by their two sites."""
        self.has_news = False
        """Whether a site has become visible that was not when this exploration began."""
        self.preset: frozenset[str] = frozenset()
        """The keys of sites that are visible from the beginning; see check/schedule.py."""
        self._wanted: set[int] = set()

    def begin_execution(self) -> None:
        """Forget the places; what is known of the sites stays."""
        self.places.clear()
        self.views.clear()

    def grow(self) -> None:
        """Take notice of new sites: they are not visible yet."""
        known = len(self.visible)
        if self.preset:
            keys = site_keys(self.sites)
            self.visible += [key in self.preset for key in keys[known:]]
        else:
            self.visible += [False] * (len(self.sites) - known)

    def reveal(self) -> bool:
        """Make the sites of all new races visible; say whether there were any."""
        news = [site for site in self._wanted if not self.visible[site]]
        for site in news:
            self.visible[site] = True
        self._wanted.clear()
        self.has_news = False
        return bool(news)

    def visible_keys(self) -> frozenset[str]:
        """Return the keys of the visible sites."""
        keys = site_keys(self.sites)
        return frozenset(key for key, seen in zip(keys, self.visible, strict=True) if seen)

    def place(self, key: Hashable, keep: object, *, is_atomic: bool = False) -> Place:
        """Return the place of that key; `keep` is the object whose id is in the key."""
        place = self.places.get(key)
        if place is None:
            place = self.places[key] = Place(keep, is_atomic=is_atomic)
        return place

    def read(self, place: Place, site: int) -> None:
        """Announce a read, if its site is visible; then look whether it races with the last write."""
        if self.visible[site]:
            self.kernel.point(Operation("load", place.target, Mode.READ))
        me = self.kernel.running
        if place.last_reader is me and place.last_read_step == me.steps and me.looked is None:
            return  # nothing new: it has read this place since its last step
        self._note_read(place, site)

    def write(self, place: Place, site: int) -> None:
        """Announce a write, if its site is visible; then look whether it races with any access."""
        if self.visible[site]:
            self.kernel.point(Operation("store", place.target))
        self._note_write(place, site)

    def access(self, kind: str, reads: Sequence[Place], writes: Sequence[Place], site: int) -> None:
        """Announce one indivisible access to several places, if its site is visible; then look."""
        if self.visible[site]:
            parts = [(place.target, Mode.WRITE, None) for place in writes]
            parts += [(place.target, Mode.READ, None) for place in reads]
            target, mode, need = parts[0]
            self.kernel.point(Operation(kind, target, mode, need, tuple(parts[1:])))
        for place in reads:
            self._note_read(place, site)
        for place in writes:
            self._note_write(place, site)

    def _note_read(self, place: Place, site: int) -> None:
        me = self.kernel.running
        writer = place.write_task
        if writer is not me and writer is not None and not _knows(me, writer, place.write_step):
            self._race(
                place, site, Access(writer.name, place.write_site, is_write=True), is_write=False
            )
        if me.looked is not None:
            me.looked.setdefault(place.target, place.target.version)
        place.last_reader = me
        place.last_read_step = me.steps
        place.reads[me.index] = (me, me.steps, site)

    def _note_write(self, place: Place, site: int) -> None:
        me = self.kernel.running
        writer = place.write_task
        if writer is not me and writer is not None and not _knows(me, writer, place.write_step):
            self._race(
                place, site, Access(writer.name, place.write_site, is_write=True), is_write=True
            )
        if place.last_reader is not None:
            for reader, step, read_site in place.reads.values():
                if reader is not me and not _knows(me, reader, step):
                    self._race(
                        place, site, Access(reader.name, read_site, is_write=False), is_write=True
                    )
            place.reads.clear()
            place.last_reader = None
        me.changes += 1
        if place.is_looked_at:
            place.target.version += 1
        place.write_task = me
        place.write_step = me.steps
        place.write_site = site

    def _race(self, place: Place, site: int, first: Access, *, is_write: bool) -> None:
        for one in (first.site, site):
            if not self.visible[one]:
                self._wanted.add(one)
                self.has_news = True
        if not place.is_atomic and (first.site, site) not in self.races:
            second = Access(self.kernel.running.name, site, is_write)
            self.races[first.site, site] = Race(self.sites[site].subject, first, second)


def _knows(me: Task, other: Task, step: int) -> bool:
    """Whether `me` comes after what `other` did before its step number `step`, by synchronisation."""
    positions = other.positions
    return len(positions) > step and me.sync >> positions[step] & 1 == 1
