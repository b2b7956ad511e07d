#!/bin/bash
# redis_load.sh SOCKET SECONDS: waits for a redis-server with redis_leak_module.c, fills its data set once, then runs the
# same mix of commands every 250 ms; prints the bytes that were lost and the milliseconds the mix ran, and shuts it down.
set -u
socket=$1
now() { echo $(($(date +%s%N) / 1000000)); }
bench() { redis-benchmark -s "$socket" -q "$@" > /dev/null; }

for _ in $(seq 400); do
    redis-cli -s "$socket" ping > /dev/null 2>&1 && break
    sleep 0.05
done
bench -t set,hset,incr,lpush -r 200 -n 3000 -c 8
start=$(now)
tick=$start
end=$((start + $2 * 1000))
while [ "$tick" -lt "$end" ]; do
    bench -c 4 -n 400 shop.order
    bench -c 4 -n 200 shop.user
    bench -c 4 -n 200 shop.cart
    bench -c 4 -n 200 shop.session
    bench -t get,set,hset,incr -r 200 -n 200 -c 8
    tick=$((tick + 250))
    while [ "$(now)" -lt "$tick" ]; do sleep 0.01; done
done
echo "$(redis-cli -s "$socket" shop.leaked) $(($(now) - start))"
redis-cli -s "$socket" shutdown nosave
