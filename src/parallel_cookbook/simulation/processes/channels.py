"""Channels: streams of messages between processes, of limited capacity; and their ends.

A message is put into a channel in one step, and taken out in one. Each message has a target of its own, so
that putting the third is independent of taking the first; what orders those who put is the channel's
tail, what orders those who take is its head. A look that does not wait conflicts with the tail.

Who wants to take guesses which message is next: the one behind the last that the same task has taken. If
others have taken some meanwhile, the step has been in vain, but now the task knows. So what a task is
about to do follows from what it has seen, and from nothing else.

Capacity: messages that exceed it are put all the same, but whoever puts them waits until enough has
been taken. Nobody can tell: the last message of a full pipe cannot be reached before all others are taken.

An end counts the handles by which processes hold it open. When the last is closed, the messages that go
to it are dropped, and whoever takes from the other end comes to the end of the file. To close a handle
is a step that conflicts with looks at the other end and with what is sent to this one, not with other
closes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Mode, Operation, active_kernel

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Target, Task
    from parallel_cookbook.kernel.operation import Need
    from parallel_cookbook.simulation.processes.world import OwnState

    Part = tuple[Target, Mode, Need | None]

EMPTY, SENT, TAKEN, DROPPED, END, RESET = range(6)
"""The states of a place for a message. DROPPED: nobody is left who could take it; END: there will be none;
RESET: nor were the last ones read."""

PIPE_CAPACITY = 65_536
"""Bytes in a pipe of Linux."""
SOCKET_CAPACITY = 212_992
"""Bytes in a socket pair of Linux, with what it adds to each message."""
_HEADER = 4
_SOCKET_OVERHEAD = 764


def is_there(state: int) -> bool:
    """Whether whoever waits for a message at this place can go on."""
    return state != EMPTY


def is_taken(state: int) -> bool:
    """Whether the message at this place takes no room any more."""
    return state >= TAKEN


class Channel:
    """One direction: messages in their order."""

    def __init__(self, kernel: Kernel, *, is_socket: bool) -> None:
        self._kernel = kernel
        self.tail = kernel.new_target("pipe")
        self.head = kernel.new_target("pipe's head")
        self._places: list[Target] = []
        self._messages: list[Any] = []
        self._costs: list[int] = []
        """Bytes in the channel up to each message, if nothing were taken."""
        self.sent = 0
        self.received = 0
        self._is_socket = is_socket
        self._known_received: dict[Task, int] = {}
        self.is_broken = False
        """Whether nobody can take from it any more."""

    def place(self, number: int) -> Target:
        """Return the target of message `number`."""
        while len(self._places) <= number:
            kind = f"message {len(self._places)}"
            self._places.append(self._kernel.record.target(self.tail.uid, kind, EMPTY, ""))
        return self._places[number]

    # --- putting --------------------------------------------------------------------------------

    def put(self, message: Any, size: int) -> Part | None:  # noqa: ANN401
        """Put a message of `size` bytes, in a step of the caller's that writes the tail.

        Returns what to wait for until it is all in the channel; None if it fits.
        """
        number = self.sent
        self.sent = number + 1
        cost = size + _HEADER + (_SOCKET_OVERHEAD if self._is_socket else 0)
        before = self._costs[-1] if self._costs else 0
        self._costs.append(before + cost)
        self._messages.append(message)
        place = self.place(number)
        self._kernel.note_cause(self.tail, place)
        place.state = SENT
        return self._room_for(number, before + cost)

    def _room_for(self, number: int, cost: int) -> Part | None:
        if self._is_socket:
            # The system lets in what does not fit any more, once.
            over = (self._costs[number - 1] if number else 0) - SOCKET_CAPACITY + 1
            if cost - (self._costs[number - 1] if number else 0) > SOCKET_CAPACITY:
                over = cost - SOCKET_CAPACITY
        else:
            over = cost - PIPE_CAPACITY
        if over <= 0:
            return None
        last = next(at for at, total in enumerate(self._costs) if total >= over)
        return (self.place(last), Mode.READ, is_taken)

    # --- taking ---------------------------------------------------------------------------------

    def first_place(self) -> int:
        """Return the place that the running task takes to be the next one to take from."""
        return self._known_received.get(self._kernel.running, 0)

    def take(self) -> Any:  # noqa: ANN401
        """Take the first message, in a step of the caller's that writes head and place."""
        number = self.received
        self.received = number + 1
        self._known_received[self._kernel.running] = self.received
        message, self._messages[number] = self._messages[number], None
        self.place(number).state = TAKEN
        return message

    def learn_received(self) -> None:
        """Note that the running task has seen the head."""
        self._known_received[self._kernel.running] = self.received

    # --- the end --------------------------------------------------------------------------------

    def finish(self, handles: Target, *, is_reset: bool) -> None:
        """Let no message come any more; all that closed the other end's handles comes before that."""
        place = self.place(self.sent)
        self._kernel.note_cause(handles, place)
        place.state = RESET if is_reset else END

    def drop(self, handles: Target) -> bool:
        """Let nobody take any more; return whether anything was left."""
        self.is_broken = True
        was_left = self.received < self.sent
        for number in range(self.received, self.sent):
            place = self.place(number)
            self._kernel.note_cause(handles, place)
            place.state = DROPPED
        self.received = self.sent
        return was_left


class End:
    """One end of a pipe: what comes in there, what goes out, and how often it is open."""

    def __init__(self, kernel: Kernel, incoming: Channel | None, outgoing: Channel | None) -> None:
        self._kernel = kernel
        self.incoming = incoming
        self.outgoing = outgoing
        self.handles = kernel.new_target("end", 1)
        """Its state is the number of handles that are open, in all processes."""
        self.other: End

    def close(self) -> None:
        """Close one handle. One step."""
        self._kernel.point(Operation("close", self.handles, Mode.READ))
        self.closed()

    def closed(self) -> None:
        """Do what follows from closing a handle, in a step of the caller's."""
        self.handles.state -= 1
        if self.handles.state:
            return
        was_left = self.incoming is not None and self.incoming.drop(self.handles)
        if self.outgoing is not None:
            self.outgoing.finish(self.handles, is_reset=was_left)


def new_ends(kernel: Kernel, *, duplex: bool) -> tuple[End, End]:
    """Make a pipe; without `duplex` the first end only receives, the second only sends."""
    forth = Channel(kernel, is_socket=duplex)
    back = Channel(kernel, is_socket=True) if duplex else None
    first, second = End(kernel, forth, back), End(kernel, back, forth)
    first.other, second.other = second, first
    return first, second


def close_all(kernel: Kernel, state: OwnState, *, is_step: bool = True) -> None:
    """Close all that a process, which ends, holds open of pipes. One step, none if that is nothing."""
    ends = [*state.ends.values(), *(state.popen.inherited if state.popen is not None else ())]
    if not ends:
        return
    if is_step:
        first, *others = (end.handles for end in ends)
        more = tuple((handles, Mode.READ, None) for handles in others)
        kernel.point(Operation("close", first, Mode.READ, None, more))
    state.ends.clear()
    for end in ends:
        end.closed()


def is_execution_over(kernel: Kernel) -> bool:
    """Whether nothing matters any more to an object of an execution of this kernel."""
    try:
        return active_kernel() is not kernel or kernel.is_unwinding
    except RuntimeError:
        return True
