"""Mistakes with what tasks share: globals, attributes, closures, containers, classes, pools' results."""

import threading
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor, as_completed

total = 0
latest = None


def both(*works):
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def bug_global():
    def work():
        global total
        total += 1

    both(work, work)
    assert total == 2, total


def bug_closure():
    total = 0

    def work():
        nonlocal total
        total += 1

    both(work, work)
    assert total == 2, total


class Account:
    opened = 0

    def __init__(self):
        self.balance = 0
        Account.opened += 1

    def deposit(self, amount):
        self.balance += amount

    @property
    def is_empty(self):
        return self.balance == 0


def bug_attribute():
    account = Account()
    both(lambda: account.deposit(1), lambda: account.deposit(2))
    assert account.balance == 3, account.balance


def bug_class_attribute():
    both(Account, Account)
    assert Account.opened == 2, Account.opened


def bug_property():
    account = Account()

    def once():
        if account.is_empty:
            account.deposit(1)

    both(once, once)
    assert account.balance == 1, account.balance


def bug_late_global():
    def work(name):
        global latest
        latest = name

    both(lambda: work("one"), lambda: work("two"))
    assert latest == "two", latest


def bug_key_that_was_there():
    prices = {"pear": 1}

    def sell():
        if "pear" in prices:
            del prices["pear"]

    both(sell, sell)


def bug_dict_changes_while_it_is_gone_through():
    prices = {"pear": 1, "plum": 2}

    def add():
        prices["fig"] = 3

    def total():
        return sum(price for price in prices.values())

    both(add, total)


def bug_deque_changes_while_it_is_gone_through():
    jobs = deque([1, 2])

    def add():
        jobs.append(3)

    def double():
        for job in jobs:
            job * 2

    both(add, double)


def bug_counter():
    words = Counter()

    def work():
        words["a"] += 1

    both(work, work)
    assert words["a"] == 2, words


def bug_pool_shares_a_list():
    runs = [0]

    def work(_number):
        runs[0] = runs[0] + 1

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert runs == [2], runs


def bug_pool_waits_for_itself():
    with ThreadPoolExecutor(1) as pool:

        def outer():
            return pool.submit(pow, 2, 3).result()

        pool.submit(outer).result()


def bug_pool_answers_in_any_order():
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(abs, number) for number in (-1, -2)]
        answers = [future.result() for future in as_completed(futures)]
    assert answers == [1, 2], answers


def bug_callback_of_a_future():
    seen = []
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(abs, -1)
        future.add_done_callback(lambda _future: seen.append(threading.current_thread().name))
    assert seen == ["MainThread"], seen
