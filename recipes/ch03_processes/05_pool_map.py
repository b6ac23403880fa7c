"""Run one function over many inputs with a Pool of processes.

Problem
-------
You have a folder of Python files and want to know of each how many functions it
defines. Parsing is pure CPU work, so threads share one core; processes do not.

Solution
--------
Write a top-level function of one file. Open a `Pool` in a `with` block and hand
over the function and the list of files: `map` for the results in the order of the
input, `starmap` for a function of several arguments, `imap_unordered` to deal with
each result as soon as it is there. Collect all results inside the block.

How it works
------------
The pool starts its workers once. Function and inputs are pickled into one pipe,
from which the idle workers take them; results come back through another. A thread
of the pool feeds the first and another empties the second, so a full pipe never stops
the parent or the workers for good. `map` returns when the last result has come. The
one who waits is the parent; workers wait only for the next task.

An exception in the function does not stop its worker. It is sent back, and raised
in the parent where you ask: by `map`, by `next` on an `imap`, by `get`. Leaving the
`with` block terminates the workers, finished or not.

Pitfalls
--------
`pitfall_unasked_result` collects results in a callback. The second task raises,
its callback is never called, and since nobody calls `get`, nobody hears of it.
The list is short, silently. Ask every result for its value, or pass `error_callback`.

`pitfall_left_too_early` takes the results after the `with` block. At its end the
workers were terminated before they had answered, and `get` waits for ever.

Cost
----
Starting the workers costs what `processes/start_methods` prints, and each task a
trip through two pipes, roughly 100 microseconds. A serial loop wins when
the function takes less than that, and when its inputs or results are large.

See also
--------
`processes/chunk_sizes` for many small tasks, `processes/initializer` for what each
worker needs once, `processes/dead_worker` for a pool that loses one,
`introduction/cpu_bound` for threads against processes.
"""

import ast
import os
import sys
from multiprocessing import Pool
from pathlib import Path

STANDARD_LIBRARY = str(Path(os.__file__).parent)


def count_nodes(path: Path, kind: type[ast.AST] = ast.FunctionDef) -> int:
    """Return how many nodes of `kind` the file has. Raises SyntaxError if it is not Python."""
    tree = ast.parse(path.read_bytes(), filename=str(path))
    return sum(isinstance(node, kind) for node in ast.walk(tree))


def named_count(path: Path) -> tuple[str, int]:
    return path.name, count_nodes(path)


def read_folder(folder: str, files: int) -> list[Path]:
    """Return the first `files` Python files by name, or exit with what is wrong."""
    paths = sorted(path for path in Path(folder).glob("*.py") if path.is_file())[:files]
    if not paths:
        sys.exit(f"there is no Python file in {folder}; name a folder that has some")
    return paths


def main(folder: str = STANDARD_LIBRARY, files: int = 2, workers: int = 2) -> None:
    paths = read_folder(folder, files)
    missing = Path(folder) / "there is no such file.py"

    with Pool(workers) as pool:
        try:
            counts = pool.map(count_nodes, paths)
        except (OSError, SyntaxError, ValueError) as error:
            sys.exit(f"a file in {folder} cannot be parsed: {error}")
        arrivals = list(pool.imap_unordered(named_count, paths))
        imports = pool.starmap(count_nodes, [(paths[0], ast.Import)])
        try:
            pool.map(count_nodes, [missing])
        except FileNotFoundError as error:
            failure = f"{type(error).__name__}, raised in a worker, was caught here"

    assert counts == [count_nodes(path) for path in paths], counts
    assert dict(arrivals) == {path.name: n for path, n in zip(paths, counts, strict=True)}
    assert imports == [count_nodes(paths[0], ast.Import)], imports
    for path, count in zip(paths[:4], counts[:4], strict=True):
        print(f"{path.name} defines {count} function(s)")
    print(f"{workers} workers parsed {len(paths)} files: {sum(counts)} functions in all")
    print(failure)


def pitfall_unasked_result() -> None:
    """The second task raises, and nobody asks for its result.

    Fails: assertion
    """
    numbers: list[int] = []
    with Pool(1) as pool:
        for text in ("7", "seven"):
            pool.apply_async(int, (text,), callback=numbers.append)
        pool.close()
        pool.join()
    assert len(numbers) == 2, f"of 2 numbers came {numbers}, and no error"


def pitfall_left_too_early() -> None:
    """The `with` block ends the workers before their results are asked for.

    Fails: deadlock
    """
    with Pool(1) as pool:
        results = pool.map_async(int, ["7", "8"])
    print(results.get())


if __name__ == "__main__":
    if sys.argv[1:]:
        main(sys.argv[1], files=1000)
    else:
        main()
