// Every form of operator new and delete, 10 blocks each, sizes 1000 + 16 × form; then what a new
// handler and std::bad_alloc do. Prints the same with and without silt.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <vector>

static int handler_calls;

__attribute__((noinline)) void *make(int form) {
    std::size_t bytes = 1000 + 16 * (std::size_t)form;
    std::align_val_t align{64};
    switch (form) {
    case 0:
        return ::operator new(bytes);
    case 1:
        return ::operator new[](bytes);
    case 2:
        return ::operator new(bytes, std::nothrow);
    case 3:
        return ::operator new[](bytes, std::nothrow);
    case 4:
        return ::operator new(bytes, align);
    case 5:
        return ::operator new[](bytes, align);
    case 6:
        return ::operator new(bytes, align, std::nothrow);
    default:
        return ::operator new[](bytes, align, std::nothrow);
    }
}

__attribute__((noinline)) void drop(void *block, int form, int way) {
    std::size_t bytes = 1000 + 16 * (std::size_t)form;
    std::align_val_t align{64};
    bool array = form & 1, aligned = form >= 4;
    switch (way) {
    case 0:
        if (aligned) {
            array ? ::operator delete[](block, align) : ::operator delete(block, align);
        } else {
            array ? ::operator delete[](block) : ::operator delete(block);
        }
        break;
    case 1:
        if (aligned) {
            array ? ::operator delete[](block, align, std::nothrow)
                  : ::operator delete(block, align, std::nothrow);
        } else {
            array ? ::operator delete[](block, std::nothrow)
                  : ::operator delete(block, std::nothrow);
        }
        break;
    default:
        if (aligned) {
            array ? ::operator delete[](block, bytes, align)
                  : ::operator delete(block, bytes, align);
        } else {
            array ? ::operator delete[](block, bytes) : ::operator delete(block, bytes);
        }
    }
}

int main() {
    static void *kept[8][10];
    for (int form = 0; form < 8; form++) {
        for (int i = 0; i < 10; i++) {
            kept[form][i] = make(form);
        }
        for (int i = 0; i < 9; i++) {
            drop(kept[form][i], form, i % 3);
        }
    }
    std::set_new_handler([] {
        void *volatile inside = std::malloc(4321);
        std::free(inside);
        if (++handler_calls == 3) {
            std::set_new_handler(nullptr);
        }
    });
    volatile std::size_t huge = static_cast<std::size_t>(-1) / 4;
    try {
        void *volatile block = ::operator new(huge);
        std::printf("huge: %p\n", block);
    } catch (const std::bad_alloc &error) {
        std::printf("bad_alloc after %d handler calls\n", handler_calls);
    }
    void *volatile none = ::operator new(huge, std::nothrow);
    std::printf("nothrow: %s\n", none ? "block" : "null");
    // The exception above must not leave this thread unrecorded, at whatever depth.
    for (int i = 0; i < 100; i++) {
        drop(make(0), 0, 0);
    }
    std::vector<std::string> words;
    for (int i = 0; i < 1000; i++) {
        words.push_back(std::string(50, 'x') + std::to_string(i));
    }
    std::printf("%zu words\n", words.size());
}
