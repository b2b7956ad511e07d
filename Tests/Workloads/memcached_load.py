"""memcached_load.py PORT REQUESTS: asks for some of 2,000 keys, the small ones most, and sets what is missing."""
import random
import socket
import sys

server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
left = requests = int(sys.argv[2])


def ask(line):
    global left
    left -= 1
    server.sendall(line)
    answer = b""
    while not answer.endswith((b"END\r\n", b"STORED\r\n")):
        answer += server.recv(65536)
    return answer


while left > 0:
    key = int(2000 * random.random() ** 3)
    if ask(b"get key%d\r\n" % key) == b"END\r\n" and left > 0:
        value = b"x" * (50 + key % 700)
        ask(b"set key%d 0 60 %d\r\n%s\r\n" % (key, len(value), value))
print(f"silt: requests={requests}")
