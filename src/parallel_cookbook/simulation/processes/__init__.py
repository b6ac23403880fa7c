"""`multiprocessing` on the check kernel: processes with spawn's semantics, and no process of the system.

A process is a group of tasks (`kernel.Group`) with modules of its own. What it is given is really
pickled, and unpickled there. What processes share (a lock, a pipe, a block of memory) is one object of
the simulation, on which each process has a view of its own; the view is pickled as the number of that
object.

- `world.py`: what the processes of one execution share, and what each has for itself
- `pickling.py`: pickles that name functions and classes, each found in the modules of the process
- `spawning.py`, `process.py`: start, life and end of a process
- `channels.py`, `connection.py`, `queues.py`: pipes, their ends, and queues with their feeders
- `semlocks.py`, `conditions.py`: locks and semaphores, and what is built of them
- `memory.py`, `sharedctypes.py`, `shared_memory.py`: memory that processes share
- `crew.py`, `pool.py`, `executor.py`: workers that take tasks, and the two kinds of pools of them
- `managers.py`, `servers.py`, `managed.py`, `proxies.py`: managers, their processes, what these own, and
  what stands for it elsewhere
- `context.py`: all of it under the names of `multiprocessing`
"""
