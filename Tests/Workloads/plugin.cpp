// A C++ plugin for a C host (host.c): its operators come from the C++ library that is opened with
// it, or, with -DOWN, are its own.
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>

#ifdef OWN
static int made;
void *operator new(std::size_t bytes) {
    made++;
    return std::malloc(bytes + 1);
}
void operator delete(void *block) noexcept {
    std::free(block);
}
void operator delete(void *block, std::size_t) noexcept {
    std::free(block);
}
extern "C" int plugin_made() {
    return made;
}
#else
extern "C" int plugin_made() {
    return -1;
}
#endif

extern "C" __attribute__((noinline)) void *plugin_make() {
    return ::operator new(1701);
}
extern "C" void plugin_drop(void *block) {
    ::operator delete(block, std::size_t(1701));
}
extern "C" int plugin_throw() {
    try {
        throw std::runtime_error(std::string(100, 'x'));
    } catch (const std::exception &error) {
        return (int)std::string(error.what()).size();
    }
}
extern "C" int plugin_fail() {
    volatile std::size_t huge = static_cast<std::size_t>(-1) / 4;
#ifdef OWN
    return huge != 0;
#else
    try {
        void *volatile block = ::operator new(huge);
        return block == nullptr;
    } catch (const std::bad_alloc &) {
        return 1;
    }
#endif
}
