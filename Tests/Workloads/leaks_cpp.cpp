// leaks_cpp.cpp [rounds]: each function leaks through another part of the standard library.
// A line that is to be blamed ends in a comment: leak, and what its function's name contains.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

struct Order { char note[811]; };
std::vector<void *> kept;
#define KEEP(x) kept.push_back(reinterpret_cast<void *>(x))
namespace shop {
template <typename T> struct Cache {
    __attribute__((noinline)) void fill(T value) {
        KEEP(new std::vector<T>(3, value));  // leak: shop::Cache<Order>::fill
    }
};
__attribute__((noinline)) void by_new() {
    KEEP(new Order);  // leak: shop::by_new
}
__attribute__((noinline)) void by_make_shared() {
    auto *holder = new std::shared_ptr<Order>;
    *holder = std::make_shared<Order>();  // leak: shop::by_make_shared
    KEEP(holder);
}
__attribute__((noinline)) void by_string(int i) {
    static auto &all = *new std::deque<std::string>;
    all.emplace_back(std::string(700 + i % 3, 'x'));  // leak: shop::by_string
}
__attribute__((noinline)) void by_vector() {
    static auto &all = *new std::vector<std::vector<char>>;
    all.emplace_back();
    all.back().resize(523);  // leak: shop::by_vector
    all.back()[0] = 1;
}
__attribute__((noinline)) void by_map(int i) {
    static auto &all = *new std::map<int, Order>;
    all[i] = Order();  // leak: shop::by_map
}
__attribute__((noinline)) void by_unordered_map(int i) {
    static auto &all = *new std::unordered_map<std::string, std::string>;
    all[std::string(40, 'k') + std::to_string(i)] = "v";  // leak: shop::by_unordered_map
}
__attribute__((noinline)) void by_function(int i) {
    static auto &all = *new std::vector<std::function<int()>>;
    Order order{};
    order.note[0] = static_cast<char>(i);
    all.push_back([order] { return order.note[0]; });  // leak: shop::by_function
}
__attribute__((noinline)) void run(const std::function<void()> &work) { work(); }
__attribute__((noinline)) void through_function() {
    run([] { KEEP(malloc(377)); });  // leak: shop::through_function
}
__attribute__((noinline)) void by_stream(int i) {
    auto *out = new std::ostringstream;  // leak: shop::by_stream
    *out << i;
    KEEP(out);
}
__attribute__((noinline)) void by_sort() {
    std::vector<int> v{3, 1, 2, 5, 4};
    std::sort(v.begin(), v.end(), [](int a, int b) {
        KEEP(malloc(61));  // leak: shop::by_sort
        return a < b;
    });
}
struct Base { virtual ~Base() = default; virtual void *make() = 0; };
struct Derived : Base {
    void *make() override {
        void *block = malloc(97);  // leak: shop::Derived::make
        KEEP(block);
        return block;
    }
};
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 50;
    auto &cache = *new shop::Cache<Order>;
    std::unique_ptr<shop::Base> base(new shop::Derived);
    for (int i = 0; i < rounds; i++) {
        shop::by_new();
        shop::by_make_shared();
        shop::by_string(i);
        shop::by_vector();
        shop::by_map(i);
        shop::by_unordered_map(i);
        shop::by_function(i);
        shop::through_function();
        shop::by_stream(i);
        shop::by_sort();
        cache.fill(Order());
        base->make();
    }
    std::thread([rounds] {
        for (int i = 0; i < rounds; i++) KEEP(malloc(1013));  // leak: main
    }).join();
    printf("%zu\n", kept.size());
    _Exit(0);
}
