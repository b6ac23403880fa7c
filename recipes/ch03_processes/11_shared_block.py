"""Share a block of memory by its name, and give it back exactly once.

Problem
-------
Two processes work on halves of one large array of numbers. Sending it would copy it
twice. A block of shared memory is the same memory in both, but unlike other objects
it does not go away with the last reference.

Solution
--------
One process owns the block: it creates it, and when all others are done it calls
`unlink`, in a `finally`. The others get the *name*, attach to it, and `close`. Cast
the buffer with `with block.buf.cast("q") as numbers:`, so that the view is released
before the block is closed.

How it works
------------
`SharedMemory(create=True, size=n)` makes a block with a new name, filled with zeros.
`SharedMemory(name=...)` attaches to it. `close` ends the access of one process, and
each that attached does it once. `unlink` removes the name; the memory is freed when
the last process has closed. A size may be rounded up to whole pages by the system, so
the code counts by `count` and not by `block.size`.

There is no lock, and none is needed: each worker writes to its own half, and the
parent reads after it has joined both. They wait for nobody. Where halves overlap, pass a
`Lock` as well.

The resource tracker is a helper process that `multiprocessing` starts on its own. It
notes each block, and removes at the end what nobody unlinked, with a warning. A child
shares it with its parent, if the parent had one before the child was started. It
has: the block is created first. A process of *another* program has its own tracker,
which removes the block when that process ends; `track=False` prevents it, from 3.13.

Pitfalls
--------
`pitfall_worker_unlinks` lets a worker unlink the block when it is done, and the name
is gone. A second worker that attaches after that gets FileNotFoundError. So does the
owner, when it comes to unlink the block itself.

`pitfall_use_after_close` reads from a block that was closed: `buf` is None then, and
a TypeError says so. Copy out what you need, or close later.

A view that is still alive when `close` is called makes it raise "BufferError: cannot
close exported pointers exist". A slice of `buf` is a view too.

Cost
----
To create, attach and unlink takes well under a millisecond. Reading a number through
a memoryview is no faster than from a list, so the gain is the copy that is not made.
For a few kilobytes a `Pipe` is simpler. A serial loop shares without any of this.

See also
--------
`processes/value_array` for a few numbers with a lock, `processes/pickling` for what
a copy costs, `processes/initializer` to let a pool's workers attach once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Process
from multiprocessing.shared_memory import SharedMemory

INTEGER_SIZE = 8  # the bytes of one "q", a signed 64-bit integer


@contextmanager
def owned_block(size: int) -> Iterator[SharedMemory]:
    """Create a block, and remove it at the end: for the one process that owns it."""
    block = SharedMemory(create=True, size=size)
    try:
        yield block
    finally:
        block.close()
        block.unlink()


def integers(block: SharedMemory) -> "memoryview[int]":
    """Return a view of the block's memory as integers, to be released before `close`."""
    assert block.buf is not None, "the block is closed"
    return block.buf.cast("q")


def square_part(name: str, first: int, stop: int) -> None:
    block = SharedMemory(name=name)
    try:
        with integers(block) as numbers:
            for index in range(first, stop):
                numbers[index] *= numbers[index]
    finally:
        block.close()


def run_together(*processes: Process) -> list[int | None]:
    """Run the processes at once; return their exit codes when all have ended."""
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def main(count: int = 4) -> None:
    half = count // 2
    with owned_block(count * INTEGER_SIZE) as block:
        with integers(block) as numbers:
            for index in range(count):
                numbers[index] = index
        exit_codes = run_together(
            Process(target=square_part, args=(block.name, 0, half)),
            Process(target=square_part, args=(block.name, half, count)),
        )
        with integers(block) as numbers:
            squares = numbers.tolist()[:count]
        name = block.name

    assert exit_codes == [0, 0], exit_codes
    assert squares == [n * n for n in range(count)], squares
    try:
        SharedMemory(name=name).close()
    except FileNotFoundError:
        print(f"two processes squared {count} numbers: {squares}; block {name} is gone")
    else:
        raise AssertionError(f"block {name} is still there")


def square_and_unlink(name: str, index: int) -> None:
    square_part(name, index, index + 1)
    block = SharedMemory(name=name)
    block.close()
    block.unlink()


def pitfall_worker_unlinks() -> None:
    """A worker that does not own the block removes it under the others.

    Fails: exception
    """
    with owned_block(2 * INTEGER_SIZE) as block:
        run_together(Process(target=square_and_unlink, args=(block.name, 0)))


def pitfall_use_after_close() -> None:
    """A closed block has no buffer any more.

    Fails: exception
    """
    with owned_block(INTEGER_SIZE) as block, integers(block) as numbers:
        numbers[0] = 7
    print(block.buf[0])  # type: ignore[index]  # mypy sees it: `buf` may be None


if __name__ == "__main__":
    main()
