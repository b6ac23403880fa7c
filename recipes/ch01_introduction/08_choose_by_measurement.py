"""Choose between a loop, threads and processes by measuring a sample of the work.

Problem
-------
A function must be run on ten thousand inputs. Does it wait or compute? Does the
library under it let go of the GIL? From outside you cannot see it.

Solution
--------
Run a small sample in each of the three ways, compare the results, and take the
fastest. `measure(work, inputs)` does that for any function with one argument.

How it works
------------
The sample is dealt out into one share for each worker. `serially` gives the
expected results; threads and processes must bring the same or the measurement is
void: fast and wrong is not fast. The time includes starting and joining the
workers, because the job will pay for it too.

Each thread writes its own key of `results`, read after `join()`; each process sends
one message through a pipe of its own. No worker waits for another: all end.

A process gets `work` by name, module and function, and imports it. So it stands at
the top level of a module, and the file has a `__main__` guard.

Pitfalls
--------
`pitfall_inputs_used_up` takes its inputs from a generator, which can be walked
through once; `map` and `Path.glob` return the like. The first model consumes them
all. The second gets no inputs, takes no time and "wins". `measure` asks for a
`Sequence`, and compares the results.

Cost
----
The sample is run three times. If it is much smaller than the job, start-up weighs
too much and the serial loop wins too often: let each run take a few tenths of a
second. One run is one sample, and another program may have used the processor:
repeat before you believe a small difference.

See also
--------
`introduction/startup_and_amdahl` to compute what a larger sample would show,
`introduction/io_bound` and `introduction/cpu_bound` for the two kinds of work.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from threading import Thread
from time import perf_counter, sleep

Work = Callable[[int], int]
Shares = list[Sequence[int]]
Results = list[list[int]]


def do(work: Work, share: Sequence[int]) -> list[int]:
    return [work(item) for item in share]


def serially(work: Work, shares: Shares) -> Results:
    return [do(work, share) for share in shares]


def on_threads(work: Work, shares: Shares) -> Results:
    results: dict[int, list[int]] = {}

    def worker(position: int, share: Sequence[int]) -> None:
        results[position] = do(work, share)

    threads = [Thread(target=worker, args=numbered) for numbered in enumerate(shares)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[position] for position in range(len(shares))]


def do_and_send(work: Work, share: Sequence[int], sender: Connection) -> None:
    with sender:
        sender.send(do(work, share))


def on_processes(work: Work, shares: Shares) -> Results:
    with ExitStack() as at_the_end:  # closes each pipe, then joins its process
        receivers = []
        for share in shares:
            receiver, sender = Pipe(duplex=False)
            with sender:  # closed here, so that recv() raises EOFError if the process dies
                process = Process(target=do_and_send, args=(work, share, sender))
                process.start()
            at_the_end.callback(process.join)
            receivers.append(at_the_end.enter_context(receiver))
        return [receiver.recv() for receiver in receivers]


def measure(work: Work, inputs: Sequence[int], workers: int = 2) -> dict[str, float]:
    """Return the seconds that `work` on all `inputs` takes in each model, the fastest first."""
    shares = [inputs[first::workers] for first in range(workers)]
    expected, seconds = None, {}
    for model in (serially, on_processes, on_threads):
        started = perf_counter()
        results = model(work, shares)
        seconds[model.__name__] = perf_counter() - started
        expected = expected or results  # the loop's, which ran first
        assert results == expected, f"{model.__name__}: {results}, not {expected}"
    return dict(sorted(seconds.items(), key=lambda entry: entry[1]))


def ask_a_service(number: int) -> int:
    sleep(0.02)
    return number + 1


def sum_of_squares(number: int) -> int:
    return sum(n * n for n in range(number))


def main() -> None:
    for work, inputs in ((ask_a_service, range(4)), (sum_of_squares, range(100_000, 100_004))):
        seconds = measure(work, inputs)
        assert len(seconds) == 3
        times = ", ".join(f"{name} {taken * 1000:.0f} ms" for name, taken in seconds.items())
        print(f"{work.__name__}, fastest first: {times}")


def pitfall_inputs_used_up() -> None:
    """The first model consumes the generator, and the second has nothing to do.

    Fails: assertion
    """
    inputs = (number for number in range(4))
    expected = [sum_of_squares(number) for number in inputs]
    results: list[int] = []
    thread = Thread(target=lambda: results.extend(sum_of_squares(number) for number in inputs))
    thread.start()
    thread.join()
    assert results == expected, f"{results}, not {expected}"


if __name__ == "__main__":
    main()
