/// A real program and what it is to do: a script of bash, whose output and status must not depend on silt.
///
/// The script runs in an empty folder, with `$port` and `$port2` free on loopback. What it prints is compared, so it prints
/// results and no times; servers are ended by their pid.
struct Program {
    var name: String
    /// Programs that it needs besides those of coreutils.
    var needs: [String]
    /// Whether it belongs to the short form: it takes seconds and needs nothing beyond `.ci/packages`.
    var isQuick = false
    var script: String
}

extension Program {
    /// What scripts may call.
    static let prelude = """
        listening() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }
        until_so() { for _ in $(seq 300); do "$@" > /dev/null 2>&1 && return; sleep 0.1; done; echo "never: $*"; }

        """

    static let all: [Program] =
        shells + interpreters + compilers + servers + tools + stressors

    // MARK: Shells and small programs

    private static let shells = [
        Program(
            name: "bash",
            needs: [],
            isQuick: true,
            script: """
                for i in 1 2 3; do x=$(echo $i | sed s/1/2/); a[$i]=$x; done; echo ${a[@]}
                (sleep 0.1; echo background) & wait
                cat <(echo substituted) - <<< "here"
                declare -A map; for i in {1..300}; do map[k$i]=$((i * i)); done; echo ${#map[@]} ${map[k17]}
                coproc cat; echo through >&"${COPROC[1]}"; read -r line <&"${COPROC[0]}"; echo "$line"
                trap 'echo trapped' USR1; kill -USR1 $$; trap 'echo leaving' EXIT
                printf '%s\\n' {1..200} | while read -r n; do echo $((n % 7)); done | sort | uniq -c
                nosuchprogram; echo "status $?"; sh -c 'kill -9 $$'; echo "status $?"
                echo "to standard error" >&2
                exit 7
                """
        ),
        Program(
            name: "ldd",
            needs: ["ldd"],
            script: "for p in bash sort ls; do ldd $(command -v $p); done; ldd /nonexistent; echo $?"
        ),
        Program(
            name: "coreutils",
            needs: [],
            isQuick: true,
            script: """
                seq 20000 | sort -R --random-source=/etc/passwd > shuffled; sort -n shuffled | md5sum; tac shuffled | sha512sum
                sort --parallel=4 -S 1M -k1.2 shuffled | cksum; uniq -c -w1 shuffled | tail -3; wc shuffled
                split -n 7 shuffled part. && cat part.* | cmp - shuffled && ls part.* | paste -sd,
                factor 1234567890123456789; expr 17 \\* 3; numfmt --to=iec 123456789; seq -s, 0 0.1 2
                od -A d -t x1z shuffled | head -3; base64 shuffled | head -2; fold -w 30 shuffled | tail -2
                join <(seq 9 | sort) <(seq 5 20 | sort); comm -12 <(seq 9 | sort) <(seq 5 20 | sort); tsort <<< 'a b b c'
                date -u -d @86400 '+%F %T'; stat -c '%s %F' shuffled; dd if=shuffled bs=1k count=3 2> /dev/null | cksum
                mkdir -p a/b/c; cp -r a d; mv d e; rm -r a; find e | sort; ls /nonexistent; echo $?; timeout 0.2 sleep 5; echo $?
                nl shuffled | shuf -n 5 --random-source=/etc/passwd; env -i A=1 env; nohup true; printf '%q\\n' 'a b'
                """
        ),
        Program(
            name: "git",
            needs: ["git"],
            isQuick: true,
            script: """
                export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
                git init -q -b main r; cd r; git config user.name A; git config user.email a@example.org
                for i in $(seq 20); do seq $i $((i * 40)) > file$((i % 5)); git add -A; git commit -q -m "change $i"; done
                git log --stat | cksum; git log --oneline | tail -2; git diff HEAD~3 | cksum; git branch b HEAD~2
                git merge -q --no-edit b; git gc -q; git fsck; git count-objects; git blame file1 | cut -c1-20 | cksum
                git clone -q . ../copy; git -C ../copy log -1 --format=%H; git archive HEAD | tar t; git stash list; git nosuch
                """
        ),
    ]

    // MARK: Interpreters

    private static let interpreters = [
        Program(
            name: "python3",
            needs: ["python3"],
            isQuick: true,
            script: """
                cat > work.py <<'END'
                import hashlib, json, multiprocessing, os, re, subprocess, sys, threading, zlib
                def square(n): return sum(i * i for i in range(n))
                if __name__ == "__main__":
                    data = {str(i): ["x" * (i % 50), i / 7] for i in range(20000)}
                    text = json.dumps(data, sort_keys=True)
                    print(hashlib.sha256(text.encode()).hexdigest(), len(zlib.compress(text.encode())))
                    results = [0] * 8
                    def work(n): results[n] = len(re.findall(r"x+", text[n * 1000:]))
                    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
                    [t.start() for t in threads]; [t.join() for t in threads]; print(results)
                    print(subprocess.run(["sort", "-r"], input=b"a\\nc\\nb\\n", capture_output=True).stdout)
                    print(subprocess.run("exit 3", shell=True, close_fds=True).returncode)
                    for way in ["fork", "spawn", "forkserver"]:
                        with multiprocessing.get_context(way).Pool(3) as pool:
                            print(way, pool.map(square, range(1000, 1010)))
                    pid = os.fork()
                    if pid == 0: os._exit(len(json.loads(text)) % 251)
                    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
                    print(sorted(os.listdir("/proc/self/task")) != [], file=sys.stderr)
                    raise SystemExit(5)
                END
                python3 work.py; echo $?; PYTHONMALLOC=malloc python3 -c 'print(len([object() for _ in range(100000)]))'
                """
        ),
        Program(
            name: "node",
            needs: ["node"],
            script: """
                cat > work.js <<'END'
                const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
                const { execFileSync } = require("child_process");
                const crypto = require("crypto"), zlib = require("zlib"), fs = require("fs");
                if (!isMainThread) {
                    let n = 0; for (let i = 0; i < 1e6; i++) n = (n * 31 + i * workerData) % 1000003;
                    parentPort.postMessage(n);
                } else {
                    const data = Array.from({ length: 20000 }, (_, i) => ({ id: i, text: "x".repeat(i % 50) }));
                    const text = JSON.stringify(data);
                    console.log(crypto.createHash("sha256").update(text).digest("hex"), zlib.gzipSync(text).length);
                    console.log(execFileSync("sort", ["-r"], { input: "a\\nb\\n" }).toString());
                    const all = [1, 2, 3].map((n) => new Promise((done) =>
                        new Worker(__filename, { workerData: n }).on("message", done)));
                    Promise.all(all).then((found) => { console.log(found); fs.readFile("/etc/hostname", () => {
                        console.error("end"); process.exitCode = 4; }); });
                }
                END
                node work.js; echo $?
                """
        ),
        Program(
            name: "perl",
            needs: ["perl"],
            isQuick: true,
            script: """
                export PERL_HASH_SEED=0
                perl -e 'my %h; $h{$_} = "x" x ($_ % 50) for 1..50000; my $n = 0; $n += length $h{$_} for sort keys %h;
                    print "$n\\n"; my @w = map { join "", sort split //, "word$_" } 1..20000; print scalar(@w), "\\n";
                    my $t = join ",", @w; $t =~ s/(\\d+)/<$1>/g; print length $t, "\\n";
                    if (my $p = fork) { waitpid $p, 0; print $? >> 8, "\\n" } else { exit 9 } print `echo sub`; die "end\\n"'
                echo $?
                """
        ),
        Program(
            name: "ruby",
            needs: ["ruby"],
            script: """
                ruby -rjson -rdigest -e 'd = (0...20000).map { |i| { id: i, text: "x" * (i % 50) } }
                    puts Digest::SHA256.hexdigest(JSON.generate(d))
                    puts (1..4).map { |n| Thread.new { (0..20000).sum { |i| i * n } } }.map(&:value).inspect
                    pid = fork { exit 6 }; Process.wait pid; puts $?.exitstatus; puts `echo sub`; GC.start; GC.compact
                    warn "end"; exit 3'
                echo $?
                """
        ),
        Program(
            name: "php",
            needs: ["php"],
            script: """
                php -r '$d = []; for ($i = 0; $i < 20000; $i++) $d[] = ["id" => $i, "text" => str_repeat("x", $i % 50)];
                    $t = json_encode($d); echo hash("sha256", $t), " ", count(json_decode($t)), "\\n";
                    echo strlen(gzcompress($t)), "\\n", preg_match_all("/x+/", $t), "\\n", shell_exec("echo sub");
                    usort($d, fn($a, $b) => strcmp($b["text"], $a["text"]) ?: $a["id"] - $b["id"]); echo $d[7]["id"], "\\n";
                    exit(4);'
                echo $?
                """
        ),
        Program(
            name: "java",
            needs: ["java", "javac"],
            script: """
                cat > Work.java <<'END'
                import java.util.*; import java.util.stream.*; import java.util.concurrent.*;
                public class Work {
                    public static void main(String[] a) throws Exception {
                        Map<String, Integer> m = new TreeMap<>();
                        for (int i = 0; i < 200000; i++) m.merge("key" + i % 977, i, Integer::sum);
                        System.out.println(m.values().stream().mapToLong(x -> x).sum());
                        ExecutorService pool = Executors.newFixedThreadPool(4);
                        List<Future<Integer>> f = new ArrayList<>();
                        for (int n = 0; n < 8; n++) { int k = n; f.add(pool.submit(() ->
                            IntStream.range(0, 100000).map(i -> i * k % 13).sum())); }
                        for (Future<Integer> one : f) System.out.println(one.get());
                        pool.shutdown();
                        Process p = new ProcessBuilder("sh", "-c", "echo sub; exit 3").inheritIO().start();
                        System.out.println(p.waitFor());
                        System.gc(); System.err.println("end"); System.exit(5);
                    }
                }
                END
                javac Work.java && java -Xmx256m Work; echo $?
                """
        ),
    ]

    // MARK: Compilers

    private static let unit = """
        cat > unit.cpp <<'END'
        #include <algorithm>
        #include <cstdio>
        #include <map>
        #include <string>
        #include <thread>
        #include <vector>
        template <int N> struct F { std::map<int, std::vector<std::string>> m; int go() { return F<N - 1>().go() + 1; } };
        template <> struct F<0> { int go() { return 0; } };
        int main() {
            std::vector<std::thread> all; int sums[4];
            for (int t = 0; t < 4; t++) all.emplace_back([&sums, t] { std::vector<std::string> v;
                for (int i = 0; i < 5000; i++) v.push_back(std::to_string(i * t)); std::sort(v.begin(), v.end());
                sums[t] = (int)v[99].size(); });
            for (auto &one : all) one.join();
            try { throw std::string("thrown"); } catch (const std::string &s) { puts(s.c_str()); }
            printf("%d %d\\n", F<30>().go(), sums[3]); return 3;
        }
        END

        """

    private static let compilers = [
        Program(
            name: "gcc",
            needs: ["g++"],
            isQuick: true,
            script: unit + """
                g++ -O2 -c unit.cpp -o unit.o && sha256sum unit.o && g++ -pthread unit.o -o unit && ./unit; echo $?
                echo 'int f( { }' | gcc -x c -c -o x.o -; echo $?
                """
        ),
        Program(
            name: "clang",
            needs: ["clang++"],
            script: unit + """
                clang++ -O2 -g -c unit.cpp -o unit.o && sha256sum unit.o && clang++ -pthread unit.o -o unit && ./unit; echo $?
                echo 'int f( { }' | clang -x c -c -o x.o -; echo $?
                """
        ),
        Program(
            name: "swift build",
            needs: ["swift"],
            script: """
                mkdir -p hello/Sources/hello; cd hello
                printf '// swift-tools-version: 5.9\\nimport PackageDescription\\n' > Package.swift
                echo 'let package = Package(name: "hello", targets: [.executableTarget(name: "hello")])' >> Package.swift
                cat > Sources/hello/main.swift <<'END'
                var names: [String: [Int]] = [:]
                for i in 0..<20000 { names["key \\(i % 97)", default: []].append(i) }
                print(names.values.reduce(0) { $0 + $1.count }, names.keys.sorted().prefix(3))
                END
                swift build --disable-sandbox > build.log 2>&1; echo $?; grep -c 'Build complete' build.log
                .build/debug/hello
                """
        ),
        Program(
            name: "cargo build",
            needs: ["cargo"],
            script: """
                mkdir -p hello/src; cd hello
                printf '[package]\\nname = "hello"\\nversion = "0.1.0"\\nedition = "2021"\\n' > Cargo.toml
                cat > src/main.rs <<'END'
                fn main() {
                    let all: Vec<_> = (0..4).map(|t| std::thread::spawn(move ||
                        (0..10000).map(|i| format!("{}{}", t, i)).collect::<Vec<_>>())).collect();
                    println!("{}", all.into_iter().map(|m| m.join().unwrap().len()).sum::<usize>());
                    std::process::exit(3)
                }
                END
                cargo build --offline > build.log 2>&1; echo $?; grep -c Finished build.log; target/debug/hello; echo $?
                """
        ),
    ]

    // MARK: Servers

    private static let nginx = """
        mkdir -p html t; seq 2000 > html/numbers; echo hello > html/index.html
        cat > nginx.conf <<END
        daemon off; user root; worker_processes 2; pid $PWD/pid; error_log $PWD/error.log;
        events { worker_connections 128; }
        http { access_log off; client_body_temp_path t/a; proxy_temp_path t/b; fastcgi_temp_path t/c; uwsgi_temp_path t/d;
          scgi_temp_path t/e; gzip on; gzip_types text/plain; default_type text/plain;
          server { listen 127.0.0.1:$port; root $PWD/html; location /again/ { proxy_pass http://127.0.0.1:$port/; } } }
        END
        nginx -e "$PWD/error.log" -p "$PWD" -c nginx.conf & server=$!
        until_so listening $port

        """

    private static let memcachedClient = """
        cat > client.py <<'END'
        import socket, sys, threading
        def work(t):
            s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); f = s.makefile("rb")
            for i in range(1500):
                v = b"x" * (i * 7 % 3000)
                s.sendall(b"set k%d-%d 0 0 %d\\r\\n%s\\r\\n" % (t, i, len(v), v)); assert f.readline() == b"STORED\\r\\n"
                s.sendall(b"get k%d-%d\\r\\n" % (t, i)); f.readline(); assert f.read(len(v) + 7) == v + b"\\r\\nEND\\r\\n"
        threads = [threading.Thread(target=work, args=(t,)) for t in range(4)]
        [t.start() for t in threads]; [t.join() for t in threads]
        s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); s.sendall(b"stats\\r\\n"); f = s.makefile("rb")
        for line in iter(f.readline, b"END\\r\\n"):
            if any(word in line for word in [b" curr_items ", b" cmd_set ", b" get_hits "]): print(line)
        END
        until_so listening $port; python3 client.py $port; echo $?; kill $server; wait $server; echo $?
        """

    private static let servers = [
        Program(
            name: "nginx",
            needs: ["nginx", "curl", "ab"],
            isQuick: true,
            script: nginx + """
                curl -sS http://127.0.0.1:$port/ http://127.0.0.1:$port/again/numbers | cksum
                curl -sS --compressed http://127.0.0.1:$port/numbers | cksum; curl -s -o /dev/null -w '%{http_code}\\n' \\
                    http://127.0.0.1:$port/none
                ab -q -n 3000 -c 8 http://127.0.0.1:$port/again/numbers | grep -E 'Complete|Failed|Document Length'
                kill -HUP $server; sleep 0.5; ab -q -k -n 5000 -c 8 http://127.0.0.1:$port/ | grep -E 'Complete|Failed'
                kill -QUIT $server; wait $server; echo $?; grep -v 'signal process' error.log
                """
        ),
        Program(
            name: "redis",
            needs: ["redis-server", "redis-benchmark", "redis-cli"],
            isQuick: true,
            script: """
                redis-server --port 0 --unixsocket $PWD/s --save '' --dir $PWD --logfile log & server=$!
                until_so test -S s; r() { redis-cli -s s "$@"; }
                redis-benchmark -s s -n 5000 -c 10 -q -t set,get,lpush,lpop,sadd,hset,mset > /dev/null; echo $?
                r mset a 1 b 2; r incr a; r get b; r eval "return redis.call('incrby', KEYS[1], 7)" 1 a; r hset h f v; r hgetall h
                for i in $(seq 50); do echo "set key$i $(printf 'x%.0s' $(seq $i))"; done | r > /dev/null; r strlen key37
                r save; r bgsave > /dev/null; sleep 0.3; r dbsize; r nosuch; r shutdown nosave; wait $server; echo $?
                """
        ),
        Program(
            name: "memcached",
            needs: ["memcached", "python3"],
            isQuick: true,
            script: "memcached -u root -l 127.0.0.1 -p $port -U 0 & server=$!\n" + memcachedClient
        ),
        Program(
            name: "memcached -k",
            needs: ["memcached", "python3"],
            isQuick: true,
            script: "memcached -k -m 32 -u root -l 127.0.0.1 -p $port -U 0 & server=$!\n" + memcachedClient
        ),
        Program(
            name: "PostgreSQL",
            needs: ["initdb", "postgres", "pgbench", "psql", "setpriv"],
            script: """
                chmod 711 ..; mkdir db; chown nobody db; as=; [ "$(id -u)" != 0 ] ||
                    as='setpriv --reuid=nobody --regid=nogroup --clear-groups'
                export HOME=$PWD/db; cd db
                $as initdb -D data -U u -A trust --no-sync > log 2>&1; echo $?
                $as postgres -D data -k $PWD -h '' -c fsync=off -c max_connections=20 > server 2>&1 & server=$!
                until_so psql -h $PWD -U u -d postgres -c 'select 1'; q() { psql -h $PWD -U u -d postgres -At -c "$1"; }
                pgbench -h $PWD -U u -q -i -s 1 postgres > /dev/null 2>&1; echo $?
                pgbench -h $PWD -U u -c 4 -j 2 -t 100 postgres 2> /dev/null | grep 'actually processed'
                q 'select count(*), sum(aid) from pgbench_accounts'; q "select md5(string_agg(i::text, ',')) from
                    generate_series(1, 50000) i"; q 'select sum(a.aid % b.bid) from pgbench_accounts a, pgbench_branches b'
                q 'select 1 / 0'; q 'vacuum full'; q "do \\$\\$ begin for i in 1..1000 loop perform i; end loop; end \\$\\$"
                kill -INT $server; wait $server; echo $?
                """
        ),
        Program(
            name: "named",
            needs: ["named", "dig"],
            script: """
                printf '$TTL 60\\n@ SOA a. b. 1 60 60 60 60\\n@ NS a.\\n' > zone; for i in $(seq 500); do
                    echo "h$i A 10.0.$((i / 250)).$((i % 250))"; done >> zone
                cat > conf <<END
                options { directory "$PWD"; listen-on port $port { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none;
                    recursion no; session-keyfile "$PWD/key"; };
                controls { }; zone "example.org" { type primary; file "$PWD/zone"; };
                END
                named -f -n 2 -c $PWD/conf 2> log & server=$!
                d() { dig +short +tries=5 -p $port @127.0.0.1 "$@"; }; until_so sh -c "dig +short +time=1 +tries=1 -p $port \\
                    @127.0.0.1 h1.example.org | grep 10.0"
                for i in 1 250 499; do d h$i.example.org; done; d none.example.org; d example.org SOA; d +tcp h7.example.org
                seq 1 400 | sed 's/.*/h&.example.org A/' > many; d -f many | cksum
                kill $server; wait $server; echo $?
                """
        ),
    ]

    // MARK: Tools

    private static let tools = [
        Program(
            name: "sqlite3",
            needs: ["sqlite3"],
            isQuick: true,
            script: """
                cat > work.sql <<'END'
                CREATE TABLE orders(id INTEGER PRIMARY KEY, customer INTEGER, price REAL, note TEXT);
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) INSERT INTO orders
                    SELECT i, (i * 7919) % 997, (i * 31 % 10007) / 7.0, 'note ' || hex(i * 2654435761) FROM n;
                CREATE INDEX by_customer ON orders(customer, price);
                SELECT customer, count(*), sum(price) FROM orders GROUP BY customer ORDER BY sum(price) DESC LIMIT 5;
                UPDATE orders SET note = upper(note) || customer WHERE customer % 3 = 0; VACUUM; PRAGMA integrity_check;
                SELECT length(group_concat(note, ';')) FROM (SELECT note FROM orders ORDER BY note); SELECT nosuch;
                END
                sqlite3 -batch file.db < work.sql; echo $?; sqlite3 file.db .dump | cksum
                """
        ),
        Program(
            name: "curl",
            needs: ["curl", "nginx"],
            isQuick: true,
            script: nginx + """
                curl -sS file:///etc/passwd | cksum; curl -sS "http://127.0.0.1:$port/numbers?[1-50]" | cksum
                curl -sS --no-progress-meter -Z --parallel-max 8 "http://127.0.0.1:$port/numbers?[1-100]" | wc -c
                curl -sS http://127.0.0.1:1/; echo $?; curl -sS -r 10-20 http://127.0.0.1:$port/numbers | od -c; curl -sSI -o \\
                    head http://127.0.0.1:$port/ && grep -i content-type head; curl -sS http://name.invalid/; echo $?
                kill -QUIT $server; wait $server
                """
        ),
        Program(
            name: "ffmpeg",
            needs: ["ffmpeg"],
            script: """
                f() { ffmpeg -hide_banner -loglevel error -nostdin "$@"; }
                f -f lavfi -i testsrc=duration=2:size=320x240:rate=15 -f lavfi -i sine=frequency=440:duration=2 -threads 4 \\
                    -c:v mpeg4 -c:a aac -flags bitexact -fflags +bitexact out.mkv; echo $?
                f -i out.mkv -vf scale=160:120,hue=s=0 -f framemd5 - | cksum; f -i out.mkv -f md5 -; f -i /nonexistent; echo $?
                """
        ),
        Program(
            name: "chromium",
            needs: ["chromium"],
            isQuick: true,
            script: """
                cat > page.html <<'END'
                <html><body><p id=a>before</p><script>
                let t = []; for (let i = 0; i < 20000; i++) t.push({ i, s: "x".repeat(i % 50) });
                document.getElementById("a").textContent = JSON.stringify(t).length + " " + t.filter(o => o.i % 7 == 0).length;
                for (let i = 0; i < 200; i++) { let d = document.createElement("div"); d.textContent = i; document.body.append(d); }
                </script></body></html>
                END
                chromium --headless --no-sandbox --disable-gpu --user-data-dir=$PWD/profile --dump-dom \\
                    file://$PWD/page.html 2> /dev/null; echo $?
                """
        ),
        Program(
            name: "openssl",
            needs: ["openssl"],
            isQuick: true,
            script: """
                seq 100000 > data; openssl dgst -sha256 data; openssl enc -aes-256-cbc -pbkdf2 -k word -S 0011223344556677 \\
                    -in data | openssl dgst -md5; openssl genrsa -out key 2048 2> /dev/null; echo $?
                openssl req -x509 -new -key key -days 2 -subj /CN=localhost -out cert; openssl verify -CAfile cert cert
                openssl dgst -sha256 -sign key -out sig data; openssl dgst -sha256 -verify <(openssl rsa -in key -pubout \\
                    2> /dev/null) -signature sig data
                openssl s_server -quiet -accept 127.0.0.1:$port -cert cert -key key -www > /dev/null 2>&1 & server=$!
                until_so listening $port; for i in 1 2 3; do echo "GET / HTTP/1.0" | openssl s_client -quiet -CAfile cert \\
                    -connect 127.0.0.1:$port 2> /dev/null | grep -c 'TLSv1.3' ; done
                kill $server; wait $server; echo $?; openssl nosuch; echo $?
                """
        ),
        Program(
            name: "gpg",
            needs: ["gpg", "gpgconf"],
            script: """
                export GNUPGHOME=$PWD; chmod 700 .; seq 20000 > data
                gpg -q --batch --passphrase '' --quick-gen-key a@example.org ed25519 sign never 2> /dev/null; echo $?
                gpg -q --batch --passphrase '' --quick-add-key "$(gpg -q --list-keys --with-colons | awk -F: '/^fpr/ { print $10;
                    exit }')" cv25519 encr never; echo $?
                gpg -q --batch --trust-model always -r a@example.org -se -o out data; gpg -q --batch -d out 2> /dev/null | cksum
                gpg -q --batch --pinentry-mode loopback --passphrase word -c -o sym data; gpg -q --batch --pinentry-mode \\
                    loopback --passphrase word -d sym | cksum; gpg --list-keys --with-colons | grep -c '^pub'; gpgconf --kill all
                """
        ),
    ]

    // MARK: Stressors

    private static func stress(_ name: String, _ options: String) -> Program {
        // Its own lines have pids and times; what it verifies, it says on a line with "fail".
        let script = """
            stress-ng --verify \(options) > log 2>&1; echo $?; grep -iE 'fail|error' log | sed 's/\\[[0-9]*\\]//'
            grep -cE 'successful run completed' log
            """
        return Program(name: "stress-ng \(name)", needs: ["stress-ng"], script: script)
    }

    private static let stressors = [
        stress("malloc", "--malloc 2 --malloc-bytes 64m --malloc-ops 20000"),
        stress("fork", "--fork 2 --fork-ops 1500"),
        stress("pthread", "--pthread 2 --pthread-max 64 --pthread-ops 3000"),
        stress(
            "signal",
            "--signal 2 --signal-ops 200000 --sigsegv 1 --sigsegv-ops 20000 --sigfpe 1 --sigfpe-ops 20000"
        ),
        stress("vm", "--vm 2 --vm-bytes 32m --vm-ops 4000 --mremap 1 --mremap-ops 40 --mremap-bytes 16m"),
    ]
}
