import threading

a = threading.Lock()
b = threading.Lock()


def forwards():
    with a:
        with b:
            pass


def backwards():
    with b:
        with a:
            pass


one = threading.Thread(target=forwards)
two = threading.Thread(target=backwards)
one.start()
two.start()
one.join()
two.join()
