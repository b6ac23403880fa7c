import threading

stop = False


def work():
    while not stop:
        pass


t = threading.Thread(target=work)
t.start()
t.join()
