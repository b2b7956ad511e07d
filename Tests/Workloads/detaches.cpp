// detaches.cpp PORT [fixed]: an HTTP server that has each order followed by a thread of its own,
// detached, which waits for a shipment that never comes; "fixed": until the answer is sent.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace {

std::mutex lock;
std::condition_variable shipped;
int shipments;

void wait_for_shipment(int order) {
    std::unique_lock<std::mutex> held(lock);
    shipped.wait(held, [order] { return shipments > order; });
}

__attribute__((noinline)) void follow_order(int order) {
    std::thread(wait_for_shipment, order).detach();
}

void answer(int connection) {
    static const char text[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
    char request[2048];
    if (read(connection, request, sizeof request) > 0) {
        send(connection, text, sizeof text - 1, MSG_NOSIGNAL);
    }
    close(connection);
}

} // namespace

int main(int count, char **arguments) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(std::atoi(arguments[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (sockaddr *)&address, sizeof address) != 0 || listen(listener, 64) != 0) {
        return 1;
    }
    for (int order = 0;; order++) {
        int connection = accept(listener, nullptr, nullptr);
        follow_order(order);
        if (count > 2) {
            std::lock_guard<std::mutex> held(lock);
            shipments = order + 1;
            shipped.notify_all();
        }
        answer(connection);
    }
}
