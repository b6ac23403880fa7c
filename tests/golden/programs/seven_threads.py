import threading

counter = 0
text = "</script><b>&"


def work():
    global counter, text
    text = text + "x" * 30
    counter += 1


threads = [threading.Thread(target=work) for _ in range(7)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert counter == 7, counter
