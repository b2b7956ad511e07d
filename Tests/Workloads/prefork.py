"""prefork.py SOCKET REQUESTS: answers as prefork.c with two workers, each of which ends after so many requests.

Each request looks for a method by a name that it makes: CPython's cache of attributes keeps up to 4,096 such names.
"""
import os
import socket
import sys

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(64)


class Service:
    def answer(self, connection):
        letter = connection.recv(1).decode()
        handler = getattr(self, "on_%s" % letter, None)
        connection.sendall(b"ok" if handler is None else handler())


def work():
    service = Service()
    for _ in range(int(sys.argv[2])):
        with listener.accept()[0] as connection:
            service.answer(connection)
    os._exit(0)


for number in range(sys.maxsize):
    if number >= 2:
        os.wait()
    if os.fork() == 0:
        work()
