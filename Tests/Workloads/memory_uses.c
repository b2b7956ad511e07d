/*
 * memory_uses.c: memory that grows in ways which no malloc explains, or not as it seems.
 *
 *     memory_uses USE SECONDS
 *
 * only-reserved: 1 MiB of address space each 50 ms. maps, pool, syscall, break: 1 MiB of memory
 * each 50 ms by mmap, by an allocator of its own, by system calls, by sbrk in small steps, some of
 * which it takes back. reserve: one block of 1 GiB of which 2 MiB each 50 ms are touched;
 * map-reserve: one mapping. burst: 100 MiB of small blocks for a moment, one of 1,000 is kept.
 * syscall-and-leak, burst-and-leak: 48 bytes each 50 ms besides. threads: one each 50 ms that never
 * ends and has touched 1 MiB of its stack. worker: "maps" in a forked child, while the parent
 * waits. written: a file is mapped privately and written to, shared: 1 MiB more of a memfd is
 * mapped, each 50 ms.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define MIB      (1 << 20)
#define PAGES    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0

static NOINLINE void map_buffer(void) {
    memset(mmap(NULL, MIB, PAGES), 1, MIB);
}

static NOINLINE void reserve_buffer(void) {
    if (mmap(NULL, MIB, PAGES) == MAP_FAILED) {
        abort();
    }
}

static NOINLINE void map_private_file(void) {
    static int file;
    if (!file) {
        file = fileno(tmpfile());
        if (ftruncate(file, MIB) != 0) {
            abort();
        }
    }
    memset(mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0), 1, MIB);
}

static NOINLINE void map_shared(void) {
    static int file = -1;
    static off_t size;
    if (file < 0) {
        file = memfd_create("shared", 0);
    }
    if (ftruncate(file, size + MIB) != 0) {
        abort();
    }
    memset(mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, file, size), 1, MIB);
    size += MIB;
}

static NOINLINE void *pool_take(size_t size) {
    static char *supply;
    static size_t left;
    if (size > left) {
        left = 2 * MIB;
        supply = mmap(NULL, left, PAGES);
    }
    left -= size;
    return supply + left;
}

static NOINLINE void keep_row(void) {
    for (int row = 0; row < 64; row++) {
        memset(pool_take(MIB / 64), 1, MIB / 64);
    }
}

static NOINLINE void move_break(void) {
    for (int done = 0; done < MIB; done += 8192) {
        memset(sbrk(10000), 1, 10000);
        sbrk(8192 - 10000);
    }
}

static NOINLINE void map_unseen(void) {
    memset((void *)syscall(SYS_mmap, NULL, MIB, PAGES), 1, MIB);
}

static NOINLINE char *map_reserve(void) {
    return mmap(NULL, 1 << 30, PAGES);
}

static NOINLINE void touch_more(char *block) {
    static size_t touched;
    memset(block + touched, 1, 2 * MIB);
    touched += 2 * MIB;
}

static NOINLINE void burst(void) {
    enum { BLOCKS = 200000 };
    char **blocks = malloc(BLOCKS * sizeof *blocks);
    for (int i = 0; i < BLOCKS; i++) {
        memset(blocks[i] = malloc(500), 1, 500);
    }
    for (int i = 0; i < BLOCKS; i++) {
        if (i % 1000 != 999) {
            free(blocks[i]);
        }
    }
    free(blocks);
}

static NOINLINE void leak_little(void) {
    *(volatile char *)malloc(48) = 1;
}

static void *serve(void *unused) {
    volatile char frame[MIB];
    for (int i = 0; i < MIB; i += 1024) {
        frame[i] = 1;
    }
    pause();
    return frame[0] ? unused : NULL;
}

static NOINLINE void accept_one(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, NULL) == 0) {
        pthread_detach(thread);
    }
}

int main(int count, char **words) {
    const char *use = count > 1 ? words[1] : "maps";
    int ticks = (count > 2 ? atoi(words[2]) : 3) * 20;
    if (strcmp(use, "worker") == 0) {
        use = "maps";
        if (fork() != 0) {
            wait(NULL);
            return 0;
        }
    }
    bool leaks = strstr(use, "-and-leak") != NULL;
    bool bursts = strncmp(use, "burst", 5) == 0;
    char *reserve = strcmp(use, "reserve") == 0       ? calloc(1, 1 << 30)
                    : strcmp(use, "map-reserve") == 0 ? map_reserve()
                                                      : NULL;
    for (int tick = 0; tick < ticks; tick++) {
        if (strcmp(use, "maps") == 0) {
            map_buffer();
        } else if (strcmp(use, "written") == 0) {
            map_private_file();
        } else if (strcmp(use, "shared") == 0) {
            map_shared();
        } else if (strcmp(use, "only-reserved") == 0) {
            reserve_buffer();
        } else if (strcmp(use, "pool") == 0) {
            keep_row();
        } else if (strcmp(use, "break") == 0) {
            move_break();
        } else if (strncmp(use, "syscall", 7) == 0) {
            map_unseen();
        } else if (reserve) {
            touch_more(reserve);
        } else if (strcmp(use, "threads") == 0) {
            accept_one();
        } else if (bursts && tick == ticks / 3) {
            burst();
        }
        if (leaks) {
            leak_little();
        }
        free(malloc(1000 + (size_t)tick));
        usleep(50000);
    }
    puts("done");
    fflush(stdout);
    _exit(0);
}
