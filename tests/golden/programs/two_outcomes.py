import threading


def say(x):
    print(x)


ts = [threading.Thread(target=say, args=(x,)) for x in "ab"]
for t in ts:
    t.start()
for t in ts:
    t.join()
