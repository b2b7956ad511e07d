// Blocks of 200 bytes from make_item, freed by each form of operator delete: 1,000 by drop_plain, 2,000
// by drop_sized, 3,000 by drop_array, 4,000 by drop_aligned, 5,000 by drop_quiet; 600 are left.
#include <cstddef>
#include <new>

static volatile long done;

enum class Form { plain, sized, array, aligned, quiet };

__attribute__((noinline)) void *make_item(Form form) {
    void *volatile item;
    switch (form) {
    case Form::array:
        item = ::operator new[](200);
        break;
    case Form::aligned:
        item = ::operator new(256, std::align_val_t{64});
        break;
    case Form::quiet:
        item = ::operator new(200, std::nothrow);
        break;
    default:
        item = ::operator new(200);
    }
    return item;
}

// What is done after a call keeps the compiler from leaving the frame before it.
__attribute__((noinline)) void drop_plain(void *item) {
    ::operator delete(item);
    done = done + 1;
}

__attribute__((noinline)) void drop_sized(void *item) {
    ::operator delete(item, std::size_t{200});
    done = done + 1;
}

__attribute__((noinline)) void drop_array(void *item) {
    ::operator delete[](item);
    done = done + 1;
}

__attribute__((noinline)) void drop_aligned(void *item) {
    ::operator delete(item, std::align_val_t{64});
    done = done + 1;
}

__attribute__((noinline)) void drop_quiet(void *item) {
    ::operator delete(item, std::nothrow);
    done = done + 1;
}

int main() {
    const Form forms[] = {Form::plain, Form::sized, Form::array, Form::aligned, Form::quiet};
    void (*const drops[])(void *) = {drop_plain, drop_sized, drop_array, drop_aligned, drop_quiet};
    static void *items[5000];
    for (int way = 0; way < 5; way++) {
        int count = 1000 * (way + 1);
        for (int i = 0; i < count; i++) {
            items[i] = make_item(forms[way]);
        }
        for (int i = 0; i < count; i++) {
            drops[way](items[i]);
        }
    }
    for (int i = 0; i < 600; i++) {
        items[i] = make_item(Form::plain);
    }
    return done == 15000 ? 0 : 1;
}
