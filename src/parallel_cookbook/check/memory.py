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
from typing import TYPE_CHECKING, Any, Final

from parallel_cookbook.check.schedule import site_keys
from parallel_cookbook.errors import ReplayMismatchError
from parallel_cookbook.kernel import Mode, Operation, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

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
        "load",
        "more_reads",
        "read_site",
        "read_step",
        "read_task",
        "store",
        "tag",
        "write_site",
        "write_step",
        "write_task",
    )

    def __init__(self, tag: Hashable, *, is_atomic: bool) -> None:
        self.tag: Final = tag
        """What it is called in its object: it tells whether a repeated execution finds it again."""
        self.keep: object = None
        """The object it belongs to, kept alive so that its id stays its own."""
        self.is_atomic: Final = is_atomic
        """Whether its accesses are indivisible and synchronise, as those of a container's shape."""
        self._target: Target | None = None
        self.load: Operation | None = None
        """The operation that reads it, once it was needed."""
        self.store: Operation | None = None
        self.write_task: Task | None = None
        self.write_step = 0
        self.write_site = 0
        self.read_task: Task | None = None
        """Who has read it last, since the last write; in which of its steps, and where."""
        self.read_step = 0
        self.read_site = 0
        self.more_reads: dict[int, tuple[Task, int, int]] | None = None
        """The same of other tasks whose reads the last one does not come after, by index."""

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

    def restore(self, entry: tuple[Any, ...]) -> None:
        """Take back what one access has noted here; see `Record.rewind`."""
        (
            _,
            self.write_task,
            self.write_step,
            self.write_site,
            self.read_task,
            self.read_step,
            self.read_site,
            self.more_reads,
        ) = entry


class Memory:
    """The places of one execution, and what all executions have taught about the sites."""

    def __init__(self, kernel: Kernel, sites: SiteTable) -> None:
        self.kernel = kernel
        self.record = kernel.record
        self.sites = sites
        self.places: dict[tuple[Hashable, ...], Place] = {}
        self.views: dict[int, tuple[object, object]] = {}
        """For each view of a dict, by its id: the view, which keeps the id its own, and the dict."""
        self.instances: dict[int, tuple[object, object]] = {}
        """For each `__dict__` that the program has looked at, by its id: the dict, and whose it is."""
        self.visible: list[bool] = []
        """By site: whether an access there is a scheduling point."""
        self.races: dict[tuple[int, int], Race] = {}
        """All races found so far, by their two sites."""
        self.preset: frozenset[str] = frozenset()
        """The keys of sites that are visible from the beginning; see check/schedule.py."""
        self._wanted: set[int] = set()
        self.on_access: Callable[[Place, int, bool], None] | None = None
        """Called with each access that is noted, its site, and whether it writes; for who tells of it."""

    def begin_execution(self) -> None:
        """Forget the places; what is known of the sites stays."""
        for place in self.places.values():
            place.keep = None
        self.places.clear()
        self.views.clear()
        self.instances.clear()

    def grow(self) -> None:
        """Take notice of new sites: they are not visible yet."""
        known = len(self.visible)
        if self.preset:
            keys = site_keys(self.sites)
            self.visible.extend(key in self.preset for key in keys[known:])
        else:
            self.visible.extend([False] * (len(self.sites) - known))

    def reveal(self) -> bool:
        """Make the sites of all new races visible; say whether there were any."""
        news = [site for site in self._wanted if not self.visible[site]]
        for site in news:
            self.visible[site] = True
        self._wanted.clear()
        return bool(news)

    @property
    def has_news(self) -> bool:
        """Whether a race has been seen whose sites are no points yet."""
        return bool(self._wanted)

    def visible_keys(self) -> frozenset[str]:
        """Return the keys of the visible sites."""
        if True not in self.visible:
            return frozenset()
        keys = site_keys(self.sites)
        return frozenset(key for key, seen in zip(keys, self.visible, strict=True) if seen)

    def place(self, key: tuple[Hashable, ...], keep: object, *, is_atomic: bool = False) -> Place:
        """Return the place of that key; `keep` is the object whose id is the key's first part.

        A repeated execution finds its places in the same order as the last one did.
        """
        place = self.places.get(key)
        if place is not None:
            return place
        if self.kernel.is_repeating:
            place = self.record.found[len(self.places)]
            if place.tag != key[1:]:
                raise ReplayMismatchError(
                    f"the program looked at {place.tag!r}, and now looks at {key[1:]!r}"
                )
        else:
            place = Place(key[1:], is_atomic=is_atomic)
            self.record.find(place)
        place.keep = keep
        self.places[key] = place
        return place

    def retire(self, key: tuple[Hashable, ...]) -> None:
        """Forget whose the place of that key was: the object is gone, and another may get its id."""
        place = self.places.pop(key, None)
        if place is not None:
            self.places[object(),] = place  # places are counted

    def read(self, place: Place, site: int) -> None:
        """Announce a read, if its site is visible; then look whether it races with the last write."""
        kernel = self.kernel
        if self.visible[site]:
            if place.load is None:
                place.load = Operation("load", place.target, Mode.READ)
            kernel.point(place.load)
        me = kernel.running
        if not kernel.is_repeating:
            if place.read_task is not me or place.read_step != me.steps or me.looked is not None:
                self._note_read(place, site, me)
            else:
                # It has read this place since its last step. Its latest site counts: once that is a
                # point, the sites before it are found one by one by what comes in between.
                place.read_site = site
        elif me.looked is not None:
            me.looked.setdefault(place.target, place.target.version)

    def write(self, place: Place, site: int) -> None:
        """Announce a write, if its site is visible; then look whether it races with any access."""
        kernel = self.kernel
        if self.visible[site]:
            if place.store is None:
                place.store = Operation("store", place.target)
            kernel.point(place.store)
        kernel.running.changes += 1
        if not kernel.is_repeating:
            self._note_write(place, site, kernel.running)
        elif place._target is not None:  # noqa: SLF001 - as is_looked_at, and often
            place._target.version += 1  # noqa: SLF001

    def access(self, kind: str, reads: Sequence[Place], writes: Sequence[Place], site: int) -> None:
        """Announce one indivisible access to several places, if its site is visible; then look."""
        kernel = self.kernel
        if self.visible[site]:
            parts = [(place.target, Mode.WRITE, None) for place in writes]
            parts += [(place.target, Mode.READ, None) for place in reads]
            target, mode, _ = parts[0]
            kernel.point(Operation(kind, target, mode, None, tuple(parts[1:])))
        me = kernel.running
        me.changes += len(writes)
        if kernel.is_repeating:
            self._repeat_access(reads, writes, me)
            return
        for place in reads:
            self._note_read(place, site, me)
        for place in writes:
            self._note_write(place, site, me)

    @staticmethod
    def _repeat_access(reads: Sequence[Place], writes: Sequence[Place], me: Task) -> None:
        """Keep up what a task that waits by looking goes by; see check/polling.py."""
        if me.looked is not None:
            for place in reads:
                me.looked.setdefault(place.target, place.target.version)
        for place in writes:
            if place.is_looked_at:
                place.target.version += 1

    def _note_read(self, place: Place, site: int, me: Task) -> None:
        if self.on_access is not None:
            self.on_access(place, site, False)  # noqa: FBT003 - a callback
        writer, step = place.write_task, place.write_step
        sync = me.sync
        if writer is not None and writer is not me and not _knows(sync, writer, step):
            first = Access(writer.name, place.write_site, is_write=True)
            self._race(place, site, first, is_write=False)
        if me.looked is not None:
            me.looked.setdefault(place.target, place.target.version)
        reader, step, others = place.read_task, place.read_step, place.more_reads
        self.record.trail.append(
            (
                place,
                writer,
                place.write_step,
                place.write_site,
                reader,
                step,
                place.read_site,
                others,
            )
        )
        if reader is not me and reader is not None and not _knows(sync, reader, step):
            # Neither read comes before the other: a write must come after both.
            others = dict(others or ())
            others[reader.index] = (reader, step, place.read_site)
            others.pop(me.index, None)
            place.more_reads = others
        place.read_task = me
        place.read_step = me.steps
        place.read_site = site

    def _note_write(self, place: Place, site: int, me: Task) -> None:
        if self.on_access is not None:
            self.on_access(place, site, True)  # noqa: FBT003 - a callback
        writer, step = place.write_task, place.write_step
        sync = me.sync
        if writer is not me and writer is not None and not _knows(sync, writer, step):
            first = Access(writer.name, place.write_site, is_write=True)
            self._race(place, site, first, is_write=True)
        reader, read_step, others = place.read_task, place.read_step, place.more_reads
        if reader is not None:
            reads = [(reader, read_step, place.read_site), *(others or {}).values()]
            for other, step, read_site in reads:
                if other is not me and not _knows(sync, other, step):
                    first = Access(other.name, read_site, is_write=False)
                    self._race(place, site, first, is_write=True)
        if place.is_looked_at:
            place.target.version += 1
        self.record.trail.append(
            (
                place,
                writer,
                place.write_step,
                place.write_site,
                reader,
                read_step,
                place.read_site,
                others,
            )
        )
        place.read_task = place.more_reads = None
        place.write_task = me
        place.write_step = me.steps
        place.write_site = site

    def _race(self, place: Place, site: int, first: Access, *, is_write: bool) -> None:
        for one in (first.site, site):
            if not self.visible[one]:
                self._wanted.add(one)
        if not place.is_atomic and (first.site, site) not in self.races:
            second = Access(self.kernel.running.name, site, is_write)
            self.races[first.site, site] = Race(self.sites[site].subject, first, second)


def _knows(sync: int, other: Task, step: int) -> bool:
    """Whether who knows of the events `sync` comes after what `other` did before its step `step`."""
    positions = other.positions
    return len(positions) > step and sync >> positions[step] & 1 == 1
