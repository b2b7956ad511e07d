// A shop's server under load that opens a session at each login and never closes one; they go when it ends:
// shop SECONDS
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

struct Session {
    explicit Session(int user) : user(user) {}
    int user;
    char basket[1000] = "";
};

class Server {
    std::vector<std::string> catalogue;
    std::unordered_map<int, std::unique_ptr<Session>> sessions;
    int next = 0;

  public:
    void load() {
        for (int i = 0; i < 20000; i++) {
            catalogue.push_back("article " + std::string(200, '-') + std::to_string(i));
        }
    }
    void search(int words) {
        std::vector<std::string> found(catalogue.begin(), catalogue.begin() + words);
    }
    void login(int user) {
        sessions[next++] = std::make_unique<Session>(user);
    }
};

int main(int argc, char **argv) {
    Server server;
    server.load();
    for (int i = 0; argc > 1 && i < std::atoi(argv[1]) * 100; i++) {
        server.search(i % 50);
        server.login(i % 7);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}
