import threading

ready = threading.Event()


def waiter():
    ready.wait()
    print("woken")


def pulse():
    ready.set()
    ready.clear()


a = threading.Thread(target=waiter, name="waiter")
b = threading.Thread(target=pulse, name="pulser")
a.start()
b.start()
a.join()
b.join()
