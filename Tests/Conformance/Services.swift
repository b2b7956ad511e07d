/// A real server with a real cache, built, started and loaded by scripts of bash.
///
/// Scripts run with `$workloads` (Tests/Workloads), `$work` (an empty folder of the run), `$built` (what `build` made),
/// `$port`, `$port2`, `$requests` and `$fixed`, which is "fixed" or empty.
struct Service {
    var name: String
    /// Programs that it needs besides gcc.
    var needs: [String]
    /// Requests of a round.
    var usual: Int
    /// What the lines of the planted leak keep of each request, in bytes.
    var planted: [Double]
    /// The function of it that is in the stack of whatever is charged; nil: an interpreter's stacks do not tell.
    var culprit: String?
    /// Runs once, in `$built`.
    var build = ""
    /// Runs beside the service and untraced.
    var beside: String?
    /// What `--ready` gets.
    var ready = "tcp:127.0.0.1:$port"
    var load = "hey -n $requests -c 4 http://127.0.0.1:$port/order"
    /// Ends with `exec`.
    var start: String
}

extension Service {
    static let all = [nginx, redis, memcached, python("http.server", ""), python("http.server malloc", "malloc"), java]

    /// Each request asks for one of 4,096 names, which nginx resolves and keeps, at the location that leaks.
    private static let nginx = Service(
        name: "nginx",
        needs: ["nginx", "hey", "python3", "make"],
        usual: 1000,
        planted: [1511.0 / 5],
        culprit: "make_record",
        build: """
            cat > config <<'END'
            ngx_module_type=HTTP; ngx_module_name=shop_module; ngx_module_srcs="$workloads/nginx_leak_module.c"
            . auto/module
            ngx_addon_name=$ngx_module_name
            END
            cd /usr/share/nginx/src && . ./conf_flags
            ./configure "${NGX_CONF_FLAGS[@]}" --with-cc-opt='-g -O1' --builddir="$built" --add-dynamic-module="$built"
            make -f "$built/Makefile" modules
            """,
        beside: "exec python3 $workloads/names.py $port2",
        start: """
            cat > nginx.conf <<END
            daemon off; worker_processes 1; user root; pid $work/pid; error_log stderr error;
            load_module $built/shop_module.so;
            events { worker_connections 256; }
            http {
                access_log off; client_body_temp_path $work/1; proxy_temp_path $work/2; fastcgi_temp_path $work/3;
                uwsgi_temp_path $work/4; scgi_temp_path $work/5;
                map \\$request_id \\$name { default x; "~^(?<three>...)" \\$three; }
                server {
                    listen 127.0.0.1:$port;
                    location /backend { shop_order $fixed; }
                    location /order {
                        resolver 127.0.0.1:$port2 valid=20s ipv6=off; proxy_pass http://\\$name.shop:$port/backend;
                    }
                }
            }
            END
            exec nginx -c $work/nginx.conf -p $work
            """
    )

    /// Each request sets one of 5,000 keys, which go after 20 s.
    private static let redis = Service(
        name: "redis",
        needs: ["redis-server", "redis-benchmark"],
        usual: 500,
        planted: [101.3],
        culprit: "make_record",
        build: "gcc -O1 -g -shared -fPIC -o shop.so $workloads/redis_leak_module.c",
        ready: "unix:$work/s",
        load: """
            redis-benchmark -s $work/s -c 4 -r 5000 -n $requests \\
                eval "redis.call('set', KEYS[1], 'x', 'EX', 20); return redis.call('shop.order')" 1 key:__rand_int__
            """,
        start: """
            exec redis-server --port 0 --unixsocket $work/s --save '' --dir $work --logfile $work/log \\
                --loadmodule $built/shop.so $fixed
            """
    )

    /// A library that is preloaded notes answers; keys are asked for, and set where they are missing or too old.
    private static let memcached = Service(
        name: "memcached",
        needs: ["memcached", "python3"],
        usual: 1000,
        planted: [700.0 / 4],
        culprit: "make_record",
        build: "gcc -O1 -g -shared -fPIC -o answers.so $workloads/sendmsg_leak.c",
        load: "python3 $workloads/memcached_load.py $port $requests",
        start: """
            [ -z "$fixed" ] || export SHOP_FIXED=1
            export LD_PRELOAD=$LD_PRELOAD:$built/answers.so
            exec memcached -u root -l 127.0.0.1 -p $port -U 0
            """
    )

    /// Prices come out of an lru_cache; blocks of 1,033 bytes are kept, and the list of them has an eighth more room than it needs.
    private static func python(_ name: String, _ allocator: String) -> Service {
        Service(
            name: name,
            needs: ["python3", "hey"],
            usual: 500,
            planted: [1033, 8.5],
            start: "PYTHONMALLOC=\(allocator) exec python3 $workloads/shop_service.py $port $fixed"
        )
    }

    /// Pages come out of a LinkedHashMap; of every second order native code keeps a record.
    private static let java = Service(
        name: "java",
        needs: ["java", "javac", "hey"],
        usual: 4000,
        planted: [1500.0 / 2],
        culprit: "make_record",
        build: """
            javac -d . $workloads/ShopService.java
            include=$(dirname $(dirname $(readlink -f $(command -v javac))))/include
            gcc -O1 -g -shared -fPIC -I$include -I$include/linux -o shop.so $workloads/shop_jni.c
            """,
        start: """
            exec java -Xmx64m -Dsun.net.httpserver.nodelay=true -cp $built ShopService $port $built/shop.so $fixed
            """
    )
}
