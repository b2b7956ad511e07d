/*
 * ledger.c: memory that is resident, or is not, though nothing leaks, and the proof of why.
 *
 *     ledger USE SECONDS [FILE]
 *
 * fragmentation: of 100 MiB of small blocks the page-th is kept. arenas: threads in turn fill 8 MiB
 * each and keep the last block. untrimmed: of 100 MiB the last block is kept. caches: each of 96
 * threads frees seven blocks of each size that its cache takes. files, shared: 2 MiB more of a
 * file, of a memfd, or (variables) of an array are touched each 50 ms. huge: a byte of each of 2;
 * plain: the same without huge pages. swapped: 64 MiB that the kernel is asked to page out. group:
 * 64 MiB, and 32 MiB of FILE are written.
 *
 * At the end it prints its resident MiB, and again after each remedy that a process has itself.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

enum { MIB = 1 << 20, ROW = 500, ROWS = 200000, ARENA_ROWS = 16384, USERS = 16, CLIENTS = 96 };

static char *rows[ROWS];

static void print_resident(const char *when) {
    char text[128] = "";
    int file = open("/proc/self/statm", O_RDONLY);
    long pages = 0;
    if (read(file, text, sizeof text - 1) > 0) {
        sscanf(text, "%*d %ld", &pages);
    }
    close(file);
    printf("%s %ld\n", when, pages * 4096 / MIB);
    fflush(stdout);
}

static NOINLINE char *take_row(void) {
    return memset(malloc(ROW), 1, ROW);
}

static NOINLINE char *keep_entry(void) {
    return memset(malloc(ROW), 1, ROW);
}

/* The last of every `period` rows stays. */
static void fill(int period) {
    for (int i = 0; i < ROWS; i++) {
        rows[i] = i % period == period - 1 ? keep_entry() : take_row();
    }
    for (int i = 0; i < ROWS; i++) {
        if (i % period != period - 1) {
            free(rows[i]);
        }
    }
}

static void free_kept(int period) {
    for (int i = period - 1; i < ROWS; i += period) {
        free(rows[i]);
    }
}

static pthread_barrier_t turn;

static void *use_arena(void *unused) {
    static char *own[USERS][ARENA_ROWS];
    static int users;
    char **mine = own[__atomic_fetch_add(&users, 1, __ATOMIC_RELAXED)];
    for (int i = 0; i < ARENA_ROWS; i++) {
        mine[i] = take_row();
    }
    for (int i = 0; i < ARENA_ROWS - 1; i++) {
        free(mine[i]);
    }
    pthread_barrier_wait(&turn);
    pause();
    return unused;
}

static void *fill_cache(void *unused) {
    char *blocks[64][7];
    for (int size = 0; size < 64; size++) {
        for (int i = 0; i < 7; i++) {
            size_t bytes = 24 + 16 * (size_t)size;
            blocks[size][i] = memset(malloc(bytes), 1, bytes);
        }
    }
    for (int size = 0; size < 64; size++) {
        for (int i = 0; i < 7; i++) {
            free(blocks[size][i]);
        }
    }
    pthread_barrier_wait(&turn);
    pause();
    return unused;
}

static void start(int count, void *(*run)(void *)) {
    pthread_barrier_init(&turn, NULL, 2);
    for (int i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, run, NULL) != 0) {
            abort();
        }
        pthread_barrier_wait(&turn);
    }
}

static char *map_file(int file) {
    if (file < 0 || ftruncate(file, 256 * MIB) != 0) {
        abort();
    }
    return mmap(NULL, 256 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
}

static char *take_large(int mebibytes, int advice) {
    void *block = NULL;
    if (posix_memalign(&block, 2 * MIB, (size_t)mebibytes * MIB) != 0) {
        abort();
    }
    madvise(block, (size_t)mebibytes * MIB, advice);
    return block;
}

static void write_file(const char *path) {
    static char page[MIB];
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    for (int i = 0; i < 32; i++) {
        if (write(file, page, sizeof page) < 0) {
            abort();
        }
    }
    fsync(file);
    close(file);
}

static const char *use, *path;
static char *block;
static char table[256 * MIB];

static int is(const char *name) {
    return strcmp(use, name) == 0;
}

static void begin(void) {
    if (is("files")) {
        block = map_file(open(path, O_CREAT | O_RDWR, 0600));
    } else if (is("shared")) {
        block = map_file(memfd_create("cache", 0));
    } else if (is("variables")) {
        block = table;
    } else if (is("huge") || is("plain")) {
        block = take_large(512, is("huge") ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    } else if (is("swapped") || is("group")) {
        if (is("group")) {
            write_file(path);
        }
        block = memset(take_large(64, MADV_NORMAL), 1, 64 * MIB);
    }
}

/* Once, after a third of the time: behind what reports take for the start. */
static void change(void) {
    if (is("fragmentation")) {
        fill(8);
    } else if (is("untrimmed")) {
        fill(ROWS);
    } else if (is("arenas")) {
        start(USERS, use_arena);
    } else if (is("caches")) {
        start(CLIENTS, fill_cache);
    } else if (is("swapped")) {
        madvise(block, 64 * MIB, MADV_PAGEOUT);
    }
}

/* Each 50 ms. */
static void touch(int tick) {
    if (is("files") || is("shared") || is("variables")) {
        memset(block + (size_t)tick * 2 * MIB, 1, 2 * MIB);
    } else if (is("huge") || is("plain")) {
        block[(size_t)tick * 4 * MIB] = block[(size_t)tick * 4 * MIB + 2 * MIB] = 1;
    }
}

static void give_back(void) {
    if (is("fragmentation") || is("untrimmed") || is("arenas") || is("caches")) {
        malloc_trim(0);
        print_resident("trimmed");
    }
    if (is("fragmentation")) {
        free_kept(8);
        malloc_trim(0);
        print_resident("freed");
    } else if (is("files")) {
        madvise(block, 256 * MIB, MADV_DONTNEED);
        print_resident("dropped");
    }
}

int main(int count, char **words) {
    use = count > 1 ? words[1] : "untrimmed";
    path = count > 3 ? words[3] : "/dev/null";
    int ticks = (count > 2 ? atoi(words[2]) : 3) * 20;
    begin();
    for (int tick = 0; tick < ticks; tick++) {
        touch(tick);
        if (tick == ticks / 3) {
            change();
        }
        free(malloc(1000 + (size_t)tick));
        usleep(50000);
    }
    print_resident("used");
    /* In a child: who watches the parent sees nothing of it. */
    if (is("files") || fork() == 0) {
        give_back();
        _exit(0);
    }
    wait(NULL);
    _exit(0);
}
