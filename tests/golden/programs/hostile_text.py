import threading

text = "</script><script>document.title = 'broken'</script>"


def work():
    global text
    text = text + "<b>&amp;"


threads = [threading.Thread(target=work, name=f"<i>{number}</i>") for number in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert text.count("<b>") == 2, text
