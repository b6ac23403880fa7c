"""Each of two threads prints a line, in any order."""

import threading

threads = [threading.Thread(target=print, args=(word,)) for word in ("left", "right")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
