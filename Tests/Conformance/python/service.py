"""A line service that uses one package at each request, and what loads it.

service.py serve PACKAGE PORT        answers each line with "ok" after one use of that package
service.py serve PACKAGE PORT LEAK   leaks besides what function LEAK below keeps, list or reference; own: what that
                                     version of the package leaks by itself
service.py load PORT COUNT           asks so often, one after the other
"""
import ctypes
import socket
import sys

import leaks
import uses

KEPT = []


def nothing(number):
    pass


def list_leak(number):
    KEPT.append(bytes(1000))  # leaks: list


def reference_leak(number):
    made = bytes(700)  # leaks: reference
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(made))


def serve(use, port, leak):
    number = 0
    with socket.create_server(("127.0.0.1", port)) as server:
        while True:
            connection, _ = server.accept()
            with connection, connection.makefile("rwb") as lines:
                for _ in lines:
                    use(number)
                    leak(number)
                    number += 1
                    lines.write(b"ok\n")
                    lines.flush()


def load(port, count):
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rwb") as lines:
        for _ in range(count):
            lines.write(b"use\n")
            lines.flush()
            if lines.readline() != b"ok\n":
                sys.exit("no answer")
    print(f"silt: requests={count}")


if __name__ == "__main__":
    if sys.argv[1] == "load":
        load(int(sys.argv[2]), int(sys.argv[3]))
    else:
        kind = (sys.argv[4:] or ["none"])[0]
        leak = {"list": list_leak, "reference": reference_leak}.get(kind, nothing)
        serve(getattr(leaks if kind == "own" else uses, sys.argv[2])(), int(sys.argv[3]), leak)
