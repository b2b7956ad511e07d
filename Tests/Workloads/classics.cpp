// classics.cpp: a server that loses memory in five well-known ways and keeps some in ways that end.
//
//   classics serve SOCKET [fixed]   serves the Unix socket until SIGTERM; "fixed" loses nothing
//   classics load SOCKET ROUTE N    asks N times for a route and says so for silt hunt
//   classics stats SOCKET           a line per leak: route, requests, bytes lost a request
//
// A request is a line with a route, the answer a line with "ok". The line to be blamed ends in a
// comment: leak, the route, and what the function's name contains.
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#define NOINLINE __attribute__((noinline))

namespace {
bool fixed;

// MARK: What is lost

struct Order {
    char note[640];
};
std::map<unsigned, Order> orders;

NOINLINE void keep_in_container(unsigned n) {
    orders[n] = Order(); // leak: container keep_in_container
    if (fixed) {
        orders.erase(n);
    }
}

using Callback = std::function<unsigned()>;
std::multimap<unsigned, Callback> timers;

NOINLINE void arm_timer(unsigned n) {
    std::array<unsigned, 100> request{};
    request[7] = n;
    auto timer = timers.emplace(n, [request] { return request[7]; }); // leak: timer arm_timer
    if (fixed) {
        timers.erase(timer);
    }
}

struct Context {
    Context *parent;
    Context *next;
    Context *previous;
    char values[200];
};
Context root{nullptr, &root, &root, {}};

NOINLINE Context *child_of(Context *parent) {
    auto *child = new Context{parent, root.next, &root, {}}; // leak: context child_of
    child->next->previous = child;
    root.next = child;
    return child;
}

NOINLINE void with_context() {
    Context *child = child_of(&root);
    if (fixed) {
        child->previous->next = child->next;
        child->next->previous = child->previous;
        delete child;
    }
}

int upstream = -1;
std::string upstream_path;

struct Connection {
    int descriptor;
    std::array<char, 2000> buffer;
};

bool named(const std::string &path, sockaddr_un &address) {
    address = {};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        return false;
    }
    memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return true;
}

int dial(const std::string &path) {
    sockaddr_un address;
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!named(path, address) ||
        connect(descriptor, reinterpret_cast<sockaddr *>(&address), sizeof(address)) != 0) {
        perror(path.c_str());
        exit(1);
    }
    return descriptor;
}

NOINLINE Connection *open_upstream() {
    auto *connection = new Connection(); // leak: connection open_upstream
    connection->descriptor = dial(upstream_path);
    close(accept(upstream, nullptr, nullptr));
    return connection;
}

NOINLINE void ask_upstream(unsigned n) {
    Connection *connection = open_upstream();
    if (fixed || n % 4 != 0) {
        close(connection->descriptor);
        delete connection;
    }
}

NOINLINE char *build_message(size_t bytes) {
    auto *message = new char[bytes]; // leak: helper build_message
    memset(message, 'm', bytes);
    return message;
}

template <int number> NOINLINE void caller(unsigned) {
    char *message = build_message(300 + 10 * number);
    if (number != 7 || fixed) {
        delete[] message;
    }
}

NOINLINE void call_helper(unsigned n) {
    static void (*const callers[])(unsigned) = {caller<0>, caller<1>, caller<2>, caller<3>,
                                                caller<4>, caller<5>, caller<6>, caller<7>,
                                                caller<8>, caller<9>};
    callers[n % 10](n);
}

// MARK: What is kept for a while, or once

struct Cache {
    size_t limit;
    std::list<std::pair<unsigned, std::string>> entries;
    std::unordered_map<unsigned, std::list<std::pair<unsigned, std::string>>::iterator> index;

    NOINLINE void insert(unsigned key) {
        entries.emplace_front(key, std::string(700, 'c'));
        index[key] = entries.begin();
        if (entries.size() > limit) {
            index.erase(entries.back().first);
            entries.pop_back();
        }
    }
};
Cache small_cache{100, {}, {}};
Cache middle_cache{1500, {}, {}};
Cache large_cache{1000000, {}, {}};

std::vector<std::unique_ptr<std::array<char, 4000>>> idle_workers;

NOINLINE void use_pool(unsigned n) {
    std::vector<std::unique_ptr<std::array<char, 4000>>> taken;
    unsigned wanted = 1 + n * 2654435761u % 24;
    while (taken.size() < wanted) {
        if (idle_workers.empty()) {
            idle_workers.push_back(std::make_unique<std::array<char, 4000>>());
        }
        taken.push_back(std::move(idle_workers.back()));
        idle_workers.pop_back();
    }
    for (auto &worker : taken) {
        idle_workers.push_back(std::move(worker));
    }
}

std::array<std::vector<unsigned>, 8> tables;

NOINLINE void look_up_in_table(unsigned n) {
    // A table is built when it is first needed: the last one after some 1,200 requests.
    auto &table = tables[std::min<size_t>(n / 150, tables.size() - 1)];
    if (table.empty()) {
        table.resize(5000, n);
    }
}

NOINLINE void with_arena() {
    std::vector<std::unique_ptr<char[]>> chunks;
    for (int i = 0; i < 20; i++) {
        chunks.push_back(std::make_unique<char[]>(1000 + 100 * i));
    }
}

NOINLINE void fragment(unsigned n) {
    // Of 400 blocks four stay, in place of four older ones: pages stay in use, blocks do not.
    static std::array<std::unique_ptr<char[]>, 2000> pins;
    std::vector<std::unique_ptr<char[]>> blocks;
    for (int i = 0; i < 400; i++) {
        blocks.push_back(std::make_unique<char[]>(200 + n % 7 * 100));
    }
    for (unsigned i = 0; i < 4; i++) {
        pins[(4 * n + i) % pins.size()] = std::move(blocks[100 * i]);
    }
}

NOINLINE void remember_last(unsigned n) {
    static std::unique_ptr<std::string> last;
    last = std::make_unique<std::string>(2000 + n % 500, 'l');
}

NOINLINE void collect(unsigned n) {
    // Doubles until it holds 2,000 numbers, and begins anew.
    static std::vector<unsigned> log;
    if (log.size() == 2000) {
        log = {};
    }
    log.push_back(n);
}

// MARK: The server

struct Route {
    const char *name;
    void (*serve)(unsigned n);
    /// Bytes lost a request.
    double lost;
    unsigned requests;
};
/// The node of a std::map with such a value.
template <typename Value> struct Node {
    void *links[4];
    Value value;
};

Route routes[] = {
    {"container", keep_in_container, sizeof(Node<decltype(orders)::value_type>), 0},
    {"timer", arm_timer, sizeof(Node<decltype(timers)::value_type>) + 400, 0},
    {"context", [](unsigned) { with_context(); }, sizeof(Context), 0},
    {"connection", ask_upstream, sizeof(Connection) / 4.0, 0},
    {"helper", call_helper, 37, 0},
    {"lru-small", [](unsigned n) { small_cache.insert(n); }, 0, 0},
    {"lru-middle", [](unsigned n) { middle_cache.insert(n); }, 0, 0},
    {"lru-large", [](unsigned n) { large_cache.insert(n); }, 0, 0},
    {"pool", use_pool, 0, 0},
    {"tables", look_up_in_table, 0, 0},
    {"arena", [](unsigned) { with_arena(); }, 0, 0},
    {"fragments", fragment, 0, 0},
    {"last", remember_last, 0, 0},
    {"vector", collect, 0, 0},
};

std::string answer(const std::string &line) {
    if (line == "stats") {
        std::string text;
        for (auto &route : routes) {
            if (route.lost > 0) {
                text += std::string(route.name) + " " + std::to_string(route.requests) + " " +
                        std::to_string(fixed ? 0 : route.lost) + "\n";
            }
        }
        return text + "end\n";
    }
    for (auto &route : routes) {
        if (line == route.name) {
            route.serve(route.requests++);
            return "ok\n";
        }
    }
    return "no such route\n";
}

int listen_at(const std::string &path) {
    sockaddr_un address;
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!named(path, address) ||
        bind(descriptor, reinterpret_cast<sockaddr *>(&address), sizeof(address)) != 0 ||
        listen(descriptor, 64) != 0) {
        perror(path.c_str());
        exit(1);
    }
    return descriptor;
}

/// False when the peer is gone.
bool serve_line(int descriptor, std::string &pending) {
    char buffer[512];
    ssize_t got = read(descriptor, buffer, sizeof(buffer));
    if (got <= 0) {
        return false;
    }
    pending.append(buffer, static_cast<size_t>(got));
    size_t end;
    while ((end = pending.find('\n')) != std::string::npos) {
        std::string text = answer(pending.substr(0, end));
        pending.erase(0, end + 1);
        if (write(descriptor, text.data(), text.size()) < 0) {
            return false;
        }
    }
    return true;
}

int serve(const std::string &path) {
    rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    upstream_path = path + ".upstream";
    upstream = listen_at(upstream_path);
    int listener = listen_at(path);
    std::map<int, std::string> clients;
    while (true) {
        std::vector<pollfd> watched{{listener, POLLIN, 0}};
        for (auto &client : clients) {
            watched.push_back({client.first, POLLIN, 0});
        }
        poll(watched.data(), watched.size(), -1);
        for (auto &ready : watched) {
            if (ready.revents == 0) {
                continue;
            }
            if (ready.fd == listener) {
                clients[accept(listener, nullptr, nullptr)];
            } else if (!serve_line(ready.fd, clients[ready.fd])) {
                close(ready.fd);
                clients.erase(ready.fd);
            }
        }
    }
}

// MARK: The client

int ask(const std::string &path, const std::string &route, int count) {
    int descriptor = dial(path);
    std::string line = route + "\n";
    for (int i = 0; i < count; i++) {
        char buffer[256];
        ssize_t sent = write(descriptor, line.data(), line.size());
        ssize_t got = sent < 0 ? -1 : read(descriptor, buffer, sizeof(buffer));
        if (got != 3 || memcmp(buffer, "ok\n", 3) != 0) {
            fprintf(stderr, "%s was not answered\n", route.c_str());
            return 1;
        }
    }
    printf("silt: requests=%d\n", count);
    return 0;
}

int print_stats(const std::string &path) {
    int descriptor = dial(path);
    char buffer[4096];
    std::string text;
    if (write(descriptor, "stats\n", 6) != 6) {
        return 1;
    }
    while (text.find("end\n") == std::string::npos) {
        ssize_t got = read(descriptor, buffer, sizeof(buffer));
        if (got <= 0) {
            return 1;
        }
        text.append(buffer, static_cast<size_t>(got));
    }
    fputs(text.c_str(), stdout);
    return 0;
}
} // namespace

int main(int argc, char **argv) {
    std::string mode = argc > 2 ? argv[1] : "";
    if (mode == "serve") {
        fixed = argc > 3 && strcmp(argv[3], "fixed") == 0;
        return serve(argv[2]);
    }
    if (mode == "load" && argc == 5) {
        return ask(argv[2], argv[3], atoi(argv[4]));
    }
    if (mode == "stats") {
        return print_stats(argv[2]);
    }
    fprintf(stderr, "usage: classics serve SOCKET [fixed] | load SOCKET ROUTE N | stats SOCKET\n");
    return 2;
}
