import threading

cond = threading.Condition()
item = None


def consumer():
    with cond:
        cond.wait()
        print("got", item)


def producer():
    global item
    with cond:
        item = 42
        cond.notify()


a = threading.Thread(target=consumer, name="consumer")
b = threading.Thread(target=producer, name="producer")
a.start()
b.start()
a.join()
b.join()
