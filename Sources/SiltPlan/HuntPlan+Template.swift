extension HuntPlan {
    /// The plan that `silt hunt --init` writes: every field, with what it does.
    package static let template = #"""
        # A plan for silt hunt: which service is started, how it is loaded, and what may grow.
        # Durations: 500ms, 10s, 2m. Sizes: 100, 64KiB, 512MiB.

        # The service: words as in a shell, or a list; no shell is started. It can be given after -- instead.
        command: ./server --port 8080
        #environment:
        #  LOG_LEVEL: warn
        # Where the service and the scripts run, relative to this file.
        #working_directory: .

        # When it is ready for load; without this line: when its allocations have died down after the start.
        ready: http://127.0.0.1:8080/   # a GET is answered with a status below 500
        #ready: tcp:127.0.0.1:8080      # a connection succeeds
        #ready: unix:/tmp/server.sock   # the same for a Unix socket
        #ready: {log: "listening on"}   # a line of its output matches (POSIX extended regular expression)
        #ready: 5s                      # that much time has passed
        ready_timeout: 60s

        # How long it is watched without any load, before the first phase and after the last one: the last one as long
        # as the longest time after which the service drops what it keeps (sessions, caches).
        idle: 10s
        final_idle: 10s
        # The longest wait after a round's load until the service is quiet.
        settle: 10s
        # Rounds of each phase: 3 at least; more are added, up to max_rounds and for 5 minutes, where a doubt remains.
        # A warm-up round comes on top and does not count.
        rounds: 6
        max_rounds: 24
        # A phase that grows is left alone for so long and loaded once more: what is freed then was a cache. Without it a
        # verdict is certain only where what grows was watched for half a minute.
        #confirm: 60s

        # One phase for each kind of request, most often one route. A script is run once a round, and up to eight times in
        # rounds that are added, by /bin/sh -c, with SILT_PHASE and SILT_ROUND (the same each time) in its environment. It
        # should make the same number of requests each time: 100 or more. The number is read from what the load tool
        # prints (ab, bombardier, h2load, hey, k6, oha, redis-benchmark, siege, vegeta, wrk), or from a line that the
        # script prints: silt: requests=2000 failed=0
        phases:
          - name: users
            script: hey -n 2000 -c 8 http://127.0.0.1:8080/users
            weight: 3                   # its share of the real traffic, against the other phases'; reports rank by it
          - name: orders
            script: |
              for i in $(seq 500); do
                  curl -sf -d "item=$i" http://127.0.0.1:8080/orders >/dev/null || exit 1
              done
            requests: 500               # when no tool prints it
            rounds: 8                   # instead of the 6 above
            timeout: 2m                 # 5m when there is no such line

        # What silt check lets pass; anything that grows fails it without these.
        #limits:
        #  bytes_per_request: 64        # of a phase, all call sites together
        #  site_bytes_per_request: 16   # of each call site
        #  descriptors_per_request: 0.1 # that a phase leaves open; likewise threads, timers …
        #  allow:                       # LeakSanitizer suppressions, or the path of a file with them
        #    - leak:known_leak

        # A Go service, or another with net/http/pprof: its profiles are pulled, beside the trace of what calls malloc.
        #pprof: http://127.0.0.1:6060/debug/pprof

        # What it may use before it is restarted or killed: the report says when growth reaches it.
        #memory_limit: 512MiB

        """#
}
