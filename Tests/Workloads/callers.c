/* One helper that hands out memory, and who keeps what it gave: callers MODE, three seconds each.
 *
 *   early    the very first message comes in on another way than all later ones
 *   forked   a session is two buffers that are made on two ways; the probes give theirs back
 *   item     an item is three blocks of three functions; half of the callers keep it
 *   several  two who keep what one helper makes, one twice as fast; others use what it uses
 *   start    many callers at the start, who keep megabytes; ten that go on for ever
 *   wrapped  an allocator of the program's own that a dozen functions use, one of which leaks
 *   object   one object of three blocks, each allocated by a function of its own
 *   script   an interpreter's loop between who keeps or drops what it makes and where that is made
 *   alone    the same without those that drop it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define STAY     __asm__ volatile("" ::: "memory")

static void *kept[1 << 17];
static int count;

static void keep(void *block) {
    kept[count++ % (1 << 17)] = block;
}

NOINLINE char *buffer(size_t size) {
    char *block = malloc(size);
    memset(block, 'b', size);
    return block;
}

/* A function that has another make a block; what comes behind the call keeps it one. */
#define MAKER(name, make, size)                                                                    \
    NOINLINE char *name(void) {                                                                    \
        char *block = make(size);                                                                  \
        STAY;                                                                                      \
        return block;                                                                              \
    }

/* early */

NOINLINE void remember_message(void) {
    keep(buffer(123));
    STAY;
}

NOINLINE void answer_message(void) {
    free(buffer(123));
    STAY;
}

NOINLINE void handle_message(void) {
    remember_message();
    answer_message();
    STAY;
}

NOINLINE void greet(void) {
    handle_message();
    STAY;
}

NOINLINE void receive(void) {
    handle_message();
    STAY;
}

/* forked */

struct session {
    char *input;
    char *output;
};

MAKER(input_buffer, buffer, 311)
MAKER(output_buffer, buffer, 311)

NOINLINE struct session open_session(void) {
    char *input = input_buffer();
    return (struct session){input, output_buffer()};
}

NOINLINE void user_session(void) {
    struct session session = open_session();
    keep(session.input);
    keep(session.output);
    STAY;
}

NOINLINE void probe_session(void) {
    struct session session = open_session();
    free(session.input);
    free(session.output);
    STAY;
}

/* item, several */

MAKER(item_head, buffer, 88)
MAKER(item_body, buffer, 56)
MAKER(item_name, buffer, 23)

NOINLINE void make_item(char *parts[3]) {
    parts[0] = item_head();
    parts[1] = item_body();
    parts[2] = item_name();
    STAY;
}

NOINLINE void stored_item(void) {
    char *parts[3];
    make_item(parts);
    for (int i = 0; i < 3; i++) {
        keep(parts[i]);
    }
    STAY;
}

NOINLINE void passing_item(void) {
    char *parts[3];
    make_item(parts);
    for (int i = 0; i < 3; i++) {
        free(parts[i]);
    }
    STAY;
}

NOINLINE void make_pair(char *parts[2]) {
    parts[0] = item_head();
    parts[1] = item_name();
    STAY;
}

#define KEEPER(name)                                                                               \
    NOINLINE void name(void) {                                                                     \
        char *parts[2];                                                                            \
        make_pair(parts);                                                                          \
        keep(parts[0]);                                                                            \
        keep(parts[1]);                                                                            \
        STAY;                                                                                      \
    }
KEEPER(first_keeper)
KEEPER(second_keeper)

NOINLINE void passer(void) {
    free(item_head());
    free(item_body());
    STAY;
}

/* start */

#define NUMBERED(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9)
#define START(n)                                                                                   \
    NOINLINE void start_##n(void) {                                                                \
        for (int i = 0; i < 40; i++) {                                                             \
            keep(buffer(20000));                                                                   \
        }                                                                                          \
        STAY;                                                                                      \
    }
#define GO_ON(n)                                                                                   \
    NOINLINE void go_on_##n(void) {                                                                \
        keep(buffer(200 + (n)));                                                                   \
        STAY;                                                                                      \
    }
/* clang-format off */
NUMBERED(START)
NUMBERED(GO_ON)
/* clang-format on */

/* wrapped */

NOINLINE void *shop_mem_alloc(size_t size) {
    void *block = malloc(size);
    memset(block, 'w', size);
    return block;
}

#define USE(n)                                                                                     \
    NOINLINE void use_##n(void) {                                                                  \
        free(shop_mem_alloc(100 + (n)));                                                           \
        STAY;                                                                                      \
    }
/* clang-format off */
NUMBERED(USE)
/* clang-format on */

NOINLINE void log_order(void) {
    keep(shop_mem_alloc(171));
    STAY;
}

/* object */

MAKER(order_head, malloc, 301)
MAKER(order_lines, malloc, 202)
MAKER(order_note, malloc, 103)

NOINLINE void lose_order(void) {
    keep(order_head());
    keep(order_lines());
    keep(order_note());
    keep(order_note());
    STAY;
}

/* script: named as an interpreter's functions are */

char *PyObject_Call(int depth);

MAKER(script_object, malloc, 99)

NOINLINE char *_PyEval_EvalFrameDefault(int depth) {
    char *block = depth > 0 ? PyObject_Call(depth - 1) : script_object();
    STAY;
    return block;
}

NOINLINE char *PyObject_Call(int depth) {
    char *block = _PyEval_EvalFrameDefault(depth);
    STAY;
    return block;
}

NOINLINE char *PyEval_EvalCode(void) {
    char *block = PyObject_Call(8);
    STAY;
    return block;
}

NOINLINE char *gen_send_ex2(void) {
    char *block = PyObject_Call(8);
    STAY;
    return block;
}

NOINLINE void keep_result(void) {
    keep(PyEval_EvalCode());
    STAY;
}

NOINLINE void drop_result(void) {
    free(gen_send_ex2());
    STAY;
}

#define CALL_START(n) start_##n();
#define CALL_GO_ON(n) go_on_##n();
#define CALL_USE(n)   use_##n();

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "early") == 0) {
        greet();
    }
    if (strcmp(mode, "start") == 0) {
        NUMBERED(CALL_START)
    }
    for (int tick = 0; tick < 300; tick++) {
        if (strcmp(mode, "early") == 0) {
            receive();
        } else if (strcmp(mode, "forked") == 0) {
            user_session();
            for (int i = 0; i < 4; i++) {
                probe_session();
            }
        } else if (strcmp(mode, "item") == 0) {
            stored_item();
            for (int i = 0; i < 5; i++) {
                passing_item();
            }
        } else if (strcmp(mode, "several") == 0) {
            first_keeper();
            first_keeper();
            second_keeper();
            for (int i = 0; i < 5; i++) {
                passer();
            }
        } else if (strcmp(mode, "start") == 0) {
            NUMBERED(CALL_GO_ON)
        } else if (strcmp(mode, "wrapped") == 0) {
            NUMBERED(CALL_USE)
            log_order();
        } else if (strcmp(mode, "object") == 0) {
            lose_order();
        } else if (strcmp(mode, "script") == 0 || strcmp(mode, "alone") == 0) {
            keep_result();
            if (strcmp(mode, "script") == 0) {
                drop_result();
            }
        }
        usleep(10000);
    }
    return 0;
}
