/* prefork.c: a server whose workers are replaced, and its load.
 *
 * `prefork serve SOCKET WORKERS REQUESTS START END` answers at a Unix socket with so many workers
 * at once, each of which ends after so many requests. It allocates and keeps START blocks at first,
 * and with END `frees` it gives back all that it has before it ends; else `keeps`. Each request
 * takes three blocks and frees them, and its letter says what it does besides: l loses 1,021 bytes,
 * t loses as much every tenth time, o opens a file and does not close it, c puts a block into one
 * of 40 places of a cache, h calls a program every fourth time, j has a child that keeps blocks
 * until it ends as often, n does nothing. `prefork load SOCKET LETTER COUNT` makes so many
 * requests, one after another. */
#include "letters.h"

#include <fcntl.h>
#include <sys/wait.h>

enum { BLOCK = 1021, PLACES = 40 };

struct kept {
    struct kept *next;
    char content[];
};

static struct kept *all;
static char *places[PLACES];

__attribute__((noinline)) static void keep(size_t size) {
    struct kept *block = malloc(size);
    memset(block->content, 'k', size - sizeof *block);
    block->next = all;
    all = block;
}

__attribute__((noinline)) static void start(int blocks) {
    for (int i = 0; i < blocks; i++) {
        free(malloc(50));
        keep(100);
    }
}

__attribute__((noinline)) static void lose(void) {
    keep(BLOCK);
}

__attribute__((noinline)) static void remember(int number) {
    char **place = &places[number * 7 % PLACES];
    free(*place);
    *place = malloc(BLOCK);
    memset(*place, 'c', BLOCK);
}

__attribute__((noinline)) static void open_file(void) {
    (void)!open("/dev/null", O_RDONLY);
}

static void answer(char letter, int number) {
    char *volatile work[3] = {malloc(30), malloc(300), malloc(3000)};
    if (letter == 'l' || (letter == 't' && number % 10 == 0)) {
        lose();
    } else if (letter == 'o') {
        open_file();
    } else if (letter == 'c') {
        remember(number);
    } else if (letter == 'h' && number % 4 == 0) {
        (void)!system("ls / > /dev/null");
    } else if (letter == 'j' && number % 4 == 0) {
        pid_t child = fork();
        if (child == 0) {
            start(200);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    for (int i = 0; i < 3; i++) {
        free(work[i]);
    }
}

static void worker(int listener, int requests, int blocks, int frees) {
    start(blocks);
    for (int i = 0; i < requests; i++) {
        int connection = accept(listener, NULL, NULL);
        char letter = 0;
        if (read(connection, &letter, 1) == 1) {
            answer(letter, i);
            (void)!write(connection, "ok", 2);
        }
        close(connection);
    }
    while (frees && all) {
        struct kept *next = all->next;
        free(all);
        all = next;
    }
    frees ? exit(0) : _exit(0);
}

int main(int count, char **arguments) {
    if (count == 5 && !strcmp(arguments[1], "load")) {
        return load(arguments[2], arguments[3][0], atoi(arguments[4]));
    }
    if (count != 7) {
        return 2;
    }
    int listener = bound(arguments[2]), workers = atoi(arguments[3]);
    for (int running = 0;; running--) {
        for (; running < workers; running++) {
            if (fork() == 0) {
                worker(listener, atoi(arguments[4]), atoi(arguments[5]), arguments[6][0] == 'f');
            }
        }
        wait(NULL);
    }
}
