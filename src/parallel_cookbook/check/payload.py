"""What is handed from outside into each execution: a function, its arguments, what its closure holds.

An execution has modules of its own, and with them classes and functions of its own. An object that was
made outside belongs to the real ones: its methods would run without scheduling points, and its locks
would be real. So it is written down once, as `pickle` does it for another process, and made anew in each
execution, where the names of modules, classes and functions mean the execution's own.

Guarantees: what one execution does to these objects, no other execution and nobody outside sees. Two
references to one object are two references to one object again. What cannot be made anew is refused
before the first execution, with its name and what to do.

Nested functions and lambdas, for which `pickle` has no name, are found in the rewritten module by their
qualified name and their first line, and rebuilt on its globals, with a closure of new cells.
"""

from __future__ import annotations

import enum
import io
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from parallel_cookbook.errors import UnsupportedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# What is packed is the program's: of it nothing is known.
# ruff: noqa: ANN401

_LIVE_MODULES = frozenset(
    [
        *("_multiprocessing", "_queue", "_socket", "_thread", "asyncio", "concurrent"),
        *("multiprocessing", "queue", "socket", "subprocess", "threading"),
    ]
)
"""Their objects do something for real threads or processes, and mean nothing in an execution."""
_MARKS = "pytestmark"
_MAKE_INSIDE = "make it inside of the function, or in its module"


class World(Protocol):
    """The modules of one execution."""

    def module(self, name: str, file: Path | None = None) -> ModuleType:
        """Return the execution's own module of that name, the real one if it has none of its own.

        file: the file that it must be from, where several have the name, as pytest's conftest has.
        """
        ...

    def codes_of(self, module: ModuleType) -> tuple[CodeType, ...]:
        """Return the rewritten code of one of its own modules, in parts."""
        ...

    def new_scope(self) -> object:
        """Return an identity for one activation of a function; see `instrument.Hooks`."""
        ...


@dataclass(frozen=True, slots=True)
class Payload:
    """Something made outside, which each execution gets a copy of."""

    data: bytes
    scopes: tuple[int, ...]
    """For each number of a group of closures, the number that stands for the whole group."""

    def make(self, world: World) -> Any:
        """Return a new copy that belongs to `world`. Cost: some microseconds for an object."""
        return _Unpacker(self, world).load()


def pack(content: object, parts: Mapping[str, object], owns: Callable[[Path], bool]) -> Payload:
    """Write down `content`, so that each execution can make its own.

    parts: what it is made of, by the words that name each in a message.
    owns: whether a source file belongs to the program under check.

    Raises UnsupportedError for what cannot be made anew, UsageError for a function that is not found.
    """
    try:
        return _pack(content, owns)
    except (UsageError, UnsupportedError, pickle.PicklingError, TypeError, AttributeError) as error:
        for name, part in parts.items():
            _refuse_part(name, part, owns)
        raise _refusal("what it is given", content, error) from error


def _pack(content: object, owns: Callable[[Path], bool]) -> Payload:
    stream = io.BytesIO()
    packer = _Packer(stream, owns)
    packer.dump(content)
    return Payload(stream.getvalue(), tuple(packer.groups.find(n) for n in packer.groups))


def _refuse_part(name: str, part: object, owns: Callable[[Path], bool]) -> None:
    """Raise the error about this part, if it is the one that cannot be made anew."""
    try:
        _pack(part, owns)
    except UsageError:
        raise
    except (UnsupportedError, pickle.PicklingError, TypeError, AttributeError) as error:
        raise _refusal(name, part, error) from error


def _refusal(name: str, part: object, error: Exception) -> UnsupportedError | UsageError:
    if isinstance(error, UsageError):
        return error
    try:
        shown = repr(part)
    except Exception:  # noqa: BLE001 - a broken __repr__ of the program's
        shown = f"a {type(part).__name__}"
    shown = shown if len(shown) <= 80 else f"{shown[:79]}…"  # noqa: PLR2004 - fits on a line
    reason = f"{error}".rstrip(".")
    return UnsupportedError(
        f"{name}, {shown}, was made outside of the check and cannot be made anew for each "
        f"execution ({reason}): {_MAKE_INSIDE}"
    )


# --- writing down -------------------------------------------------------------------------------


class _Groups:
    """Which closures share a variable: those stand in one activation of their outer function."""

    def __init__(self) -> None:
        self._parents: list[int] = []
        self._of_cell: dict[int, int] = {}

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self._parents)))

    def find(self, number: int) -> int:
        """Return the number that stands for the group of `number`."""
        while self._parents[number] != number:
            number = self._parents[number]
        return number

    def of(self, cells: tuple[CellType, ...]) -> int:
        """Return the group of a closure of these cells; join the groups that it connects."""
        group = len(self._parents)
        self._parents.append(group)
        for cell in cells:
            other = self.find(self._of_cell.setdefault(id(cell), group))
            self._parents[other] = group
        return group


class _Packer(pickle.Pickler):
    def __init__(self, stream: io.BytesIO, owns: Callable[[Path], bool]) -> None:
        super().__init__(stream, protocol=pickle.HIGHEST_PROTOCOL)
        self._owns = owns
        self.groups = _Groups()

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, FunctionType):
            return NotImplemented if obj.__module__ == __name__ else self._function(obj)
        if isinstance(obj, ModuleType):
            return _module, (obj.__name__,)
        if isinstance(obj, CellType):
            return _cell, ()
        if isinstance(obj, BuiltinFunctionType) and isinstance(obj.__self__, ModuleType):
            return _named, (obj.__self__.__name__, obj.__name__)
        if not isinstance(obj, type | BaseException | enum.Enum):
            _refuse_live(obj)
        return NotImplemented

    def _function(self, function: FunctionType) -> Any:
        if is_named(function):
            return _named, (function.__module__, function.__qualname__)
        code = function.__code__
        file = source_file(function)
        if file is None or not self._owns(file):
            raise UnsupportedError(
                f"{function.__qualname__} was made by a function of {function.__module__}, "
                "which is no part of the program"
            )
        cells = tuple(function.__closure__ or ())
        number = _rank(function, file)
        module = function.__globals__.get("__name__", function.__module__)
        group = self.groups.of(cells)
        closure = dict(zip(code.co_freevars, cells, strict=True))
        place = (code.co_qualname, code.co_firstlineno)
        contents = tuple((cell, *_contents(cell)) for cell in cells)
        own = {name: value for name, value in vars(function).items() if name != _MARKS}
        state = (
            function.__name__,
            function.__qualname__,
            function.__defaults__,
            function.__kwdefaults__,
            contents,
            own,
        )
        return (
            _shell,
            ((module, str(file)), place, number, group, closure),
            state,
            None,
            None,
            _fill,
        )


def _contents(cell: CellType) -> tuple[object, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def _refuse_live(obj: object) -> None:
    for base in type(obj).__mro__:
        if base.__module__.partition(".")[0] in _LIVE_MODULES:
            raise UnsupportedError(f"a real {base.__module__}.{base.__qualname__}")


def is_named(function: FunctionType) -> bool:
    """Whether the function's module has it under its qualified name."""
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is function


def source_file(function: FunctionType) -> Path | None:
    """Return the absolute path of the file that the function was compiled from; None without one."""
    path = Path(function.__code__.co_filename)
    known = function.__globals__.get("__file__")
    if not path.is_absolute() and known and Path(known).name == path.name:
        path = Path(known)  # the interpreter keeps the path of a script as it was typed
    return path.absolute() if path.is_file() else None


def _rank(function: FunctionType, file: Path) -> int:
    """Return the place of a function among those of its name that begin on its line."""
    code = function.__code__
    where = f"{function.__qualname__} in line {code.co_firstlineno} of {file.name}"
    source = compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
    alike = list(_codes(source, code.co_qualname, code.co_firstlineno))
    if len(alike) == 1:
        return 0
    if not alike:
        raise UsageError(f"{where} is not in the file any more; start Python again")
    same = [number for number, other in enumerate(alike) if other == code]
    if len(same) != 1:
        raise UsageError(f"{where} cannot be told apart from another there; give each a line")
    return same[0]


def _codes(code: CodeType, qualname: str, line: int) -> Iterator[CodeType]:
    """Yield the code of each function of that name which begins on that line, in order."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == qualname and constant.co_firstlineno == line:
                yield constant
            yield from _codes(constant, qualname, line)


# --- making anew --------------------------------------------------------------------------------


def _placeholder(*_: object) -> Any:
    raise AssertionError("only the name of this function is used")


def _module(name: str) -> Any:
    return _placeholder(name)


def _named(module: str, qualname: str) -> Any:
    return _placeholder(module, qualname)


def _shell(*made_from: object) -> Any:
    return _placeholder(*made_from)


def _cell() -> CellType:
    return CellType()


def _fill(function: FunctionType, state: tuple[Any, ...]) -> None:
    """Give a rebuilt function what may refer to the function itself."""
    name, qualname, defaults, kwdefaults, contents, own = state
    function.__name__, function.__qualname__ = name, qualname
    function.__defaults__, function.__kwdefaults__ = defaults, kwdefaults
    for cell, *content in contents:
        if content:
            cell.cell_contents = content[0]
    vars(function).update(own)


class _Unpacker(pickle.Unpickler):
    def __init__(self, payload: Payload, world: World) -> None:
        super().__init__(io.BytesIO(payload.data))
        self._payload = payload
        self._world = world
        self._scopes: dict[tuple[int, str], CellType] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module != __name__:
            return self._find_named(module, name)
        match name:
            case "_module":
                return self._world.module
            case "_named":
                return self._find_named
            case "_shell":
                return self._new_shell
        return globals()[name]

    def _find_named(self, module: str, qualname: str) -> Any:
        found: Any = self._world.module(module)
        for name in qualname.split("."):
            found = getattr(found, name)
        return found

    def _new_shell(
        self,
        module: tuple[str, str],
        place: tuple[str, int],
        number: int,
        group: int,
        cells: dict[str, CellType],
    ) -> FunctionType:
        name, file = module
        space = self._world.module(name, Path(file))
        parts = self._world.codes_of(space)
        code = [code for part in parts for code in _codes(part, *place)][number]
        group = self._payload.scopes[group]
        closure = tuple(cells.get(name) or self._scope(group, name) for name in code.co_freevars)
        return FunctionType(code, vars(space), closure=closure)

    def _scope(self, group: int, name: str) -> CellType:
        """Return the cell of what the rewriting adds to a closure: who owns its variables."""
        cell = self._scopes.get((group, name))
        if cell is None:
            cell = self._scopes[group, name] = CellType(self._world.new_scope())
        return cell
