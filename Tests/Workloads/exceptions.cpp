/* exceptions.cpp ROUNDS: random recursion with containers, destructors that allocate while an
 * exception passes, nested and rethrown exceptions. */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

static uint64_t state = 88172645463325252u;
static uint64_t caught;

static unsigned roll(unsigned below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<unsigned>(state >> 20) % below;
}

struct Noisy {
    std::vector<std::string> lines;
    explicit Noisy(unsigned n) : lines(n, "a line that is too long for its object") {}
    ~Noisy() {
        auto copy = std::make_unique<std::map<unsigned, std::string>>();
        for (unsigned i = 0; i < lines.size(); i++) {
            (*copy)[i] = lines[i] + "!";
        }
    }
};

struct Odd : std::runtime_error {
    std::string more;
    explicit Odd(const std::string &text) : std::runtime_error(text), more(text + text + text) {}
};

__attribute__((noinline)) static std::string go(unsigned depth, const std::function<void()> &end);

__attribute__((noinline)) static std::string left(unsigned depth, const std::function<void()> &end) {
    Noisy noisy(roll(3));
    return go(depth - 1, end) + "left, a longer text than fits";
}

__attribute__((noinline)) static std::string right(unsigned depth, const std::function<void()> &end) {
    try {
        std::string text(roll(60), 'x');
        return text + go(depth - 1, [&] { end(); });
    } catch (const std::out_of_range &) {
        caught++;
        Noisy noisy(2);
        throw;
    } catch (const Odd &odd) {
        caught++;
        if (roll(2)) {
            throw std::out_of_range(odd.more);
        }
        return odd.more;
    }
}

static std::string go(unsigned depth, const std::function<void()> &end) {
    if (depth == 0 || roll(12) == 0) {
        end();
        return "the end of a branch, in more than a few letters";
    }
    switch (roll(3)) {
    case 0:
        return left(depth, end);
    case 1:
        return right(depth, end);
    default: {
        Noisy noisy(1);
        std::string a = left(depth, end);
        return roll(2) ? a : right(depth, end);
    }
    }
}

int main(int argc, char **argv) {
    unsigned long rounds = argc > 1 ? strtoul(argv[1], nullptr, 10) : 1000;
    uint64_t letters = 0;
    for (unsigned long i = 0; i < rounds; i++) {
        try {
            letters += go(14, [] {
                           if (roll(3) == 0) {
                               throw Odd("thrown with a text of some length, at the end");
                           }
                       }).size();
        } catch (const std::exception &error) {
            caught++;
            letters += std::string(error.what()).size();
        }
    }
    printf("%llu letters, %llu caught\n", static_cast<unsigned long long>(letters),
           static_cast<unsigned long long>(caught));
}
