"""Notice that a worker has died, and find the task that killed it.

Problem
-------
One image of thousands makes the native decoder crash, or the kernel kills a worker
because memory runs out. The worker cannot raise an exception; it is gone. Your
program should finish the other images, and name the one.

Solution
--------
Use `ProcessPoolExecutor`. When a worker dies, it raises BrokenProcessPool for every
task that had not ended. Those are the suspects. Run each of them again in a `Process`
of its own. The one that dies once more is the culprit, and `exitcode` tells how.

How it works
------------
The executor's manager thread waits for results *and* for the end of each worker. When
one ends unasked, the thread ends the others, and fails the futures that are pending.
Innocent tasks are among them, so a broken future accuses nobody. From then on
`submit` raises BrokenProcessPool as well; the program may still be handing out tasks
when the first one kills its worker. Thus `submit` stands inside the `try`, too.

In the second round the parent holds no copy of the sending end. If the child dies,
the pipe has no writer left, and `recv` raises EOFError; if it lives, an answer comes.
So `recv` returns in either case. `join` then makes `exitcode` known: -9 says that
signal 9, SIGKILL, ended it.

Pitfalls
--------
`pitfall_pool_waits_for_ever` gives the same task to `multiprocessing.Pool`. The pool
replaces the dead worker by a new one, but nobody knows which task the dead one had.
Its result never comes, and `apply` waits for it.

Cost
----
The second round starts a process for each suspect, tens of milliseconds each where
processes are spawned. It is paid only when a worker has died. A serial loop is no
choice here at any speed: the crash would take the whole program with it.

See also
--------
`processes/terminate` for exit codes, `processes/pool_map` for exceptions, which a
worker survives, `processes/start` for the pipe that is closed after `start`.
"""

import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import Pipe, Pool, Process
from multiprocessing.connection import Connection

BROKEN_IMAGE = "broken.png"


def decode(image: str) -> int:
    """Return the size of the image; the broken one kills the process."""
    if image == BROKEN_IMAGE:
        os.kill(os.getpid(), signal.SIGKILL)  # as a crash or the kernel would
    return len(image)


def decode_all(images: list[str], workers: int) -> tuple[dict[str, int], list[str]]:
    """Return the sizes that came, and the images whose task got lost with a worker."""
    sizes: dict[str, int] = {}
    futures: dict[str, Future[int]] = {}
    with ProcessPoolExecutor(workers) as pool:
        try:
            for image in images:
                futures[image] = pool.submit(decode, image)
        except BrokenProcessPool:
            print("the pool broke before all was submitted")
        for image, future in futures.items():
            try:
                sizes[image] = future.result()
            except BrokenProcessPool:
                continue
    return sizes, [image for image in images if image not in sizes]


def send_size(image: str, sender: Connection) -> None:
    with sender:
        sender.send(decode(image))


def decode_alone(image: str) -> tuple[int | None, int | None]:
    """Return the size, or None if the process died, and its exit code."""
    receiver, sender = Pipe(duplex=False)
    process = Process(target=send_size, args=(image, sender))
    process.start()
    sender.close()
    with receiver:
        try:
            size = receiver.recv()
        except EOFError:
            size = None
    process.join()
    return size, process.exitcode


def main(workers: int = 1) -> None:
    images = [BROKEN_IMAGE, "a.png"]
    sizes, suspects = decode_all(images, workers)
    assert BROKEN_IMAGE in suspects, suspects
    print(f"lost with the pool: {suspects}")

    for image in suspects:
        size, exit_code = decode_alone(image)
        if size is None:
            assert image == BROKEN_IMAGE, image
            assert exit_code == -signal.SIGKILL, exit_code
            print(f"{image} killed its process: exit code {exit_code}")
        else:
            sizes[image] = size
    assert sizes == {"a.png": 5}, sizes
    print(f"decoded all the same: {sizes}")


def pitfall_pool_waits_for_ever() -> None:
    """The pool replaces the worker and waits for a task that died with it.

    Fails: deadlock
    """
    with Pool(1) as pool:
        pool.apply(decode, (BROKEN_IMAGE,))


if __name__ == "__main__":
    main()
