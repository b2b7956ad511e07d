/* ring_files.c SECONDS: some 100 times a second opens a file by io_uring(7) and forgets it, and
 * makes a socket that io_uring closes. Prints how many files it has forgotten, in all and a second.
 * Status 77 where there is no io_uring. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int ring;
static struct io_uring_params params;
static char *submissions, *completions;
static struct io_uring_sqe *entries;

static char *map(size_t bytes, off_t which) {
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, which);
}

static int set_up(void) {
    ring = (int)syscall(SYS_io_uring_setup, 4, &params);
    if (ring < 0) {
        return -1;
    }
    submissions = map(params.sq_off.array + params.sq_entries * 4, IORING_OFF_SQ_RING);
    completions = map(params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
                      IORING_OFF_CQ_RING);
    entries = (void *)map(params.sq_entries * sizeof(struct io_uring_sqe), (off_t)IORING_OFF_SQES);
    return submissions == MAP_FAILED || completions == MAP_FAILED || entries == MAP_FAILED;
}

static unsigned *word(char *of, unsigned offset) {
    return (unsigned *)(void *)(of + offset);
}

/* Makes one call by the ring, and waits for it. */
static int by_ring(struct io_uring_sqe entry) {
    unsigned *tail = word(submissions, params.sq_off.tail);
    unsigned at = *tail & *word(submissions, params.sq_off.ring_mask);
    entries[at] = entry;
    word(submissions, params.sq_off.array)[at] = at;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1) {
        return -1;
    }
    unsigned *head = word(completions, params.cq_off.head);
    const struct io_uring_cqe *all = (const void *)(completions + params.cq_off.cqes);
    int result = all[*head & *word(completions, params.cq_off.ring_mask)].res;
    __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
    return result;
}

__attribute__((noinline)) static int open_file(void) {
    return by_ring((struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
                                         .fd = AT_FDCWD,
                                         .addr = (uintptr_t)"/dev/null",
                                         .open_flags = O_RDONLY | O_CLOEXEC});
}

__attribute__((noinline)) static int make_socket(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    __asm__ volatile("" : "+r"(fd));
    return fd;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int count, char **arguments) {
    struct rlimit limit;
    double begin = now();
    int forgotten = 0;
    if (set_up() != 0) {
        return 77;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (double end = begin + (count > 1 ? atof(arguments[1]) : 0); now() < end; forgotten++) {
        int fd = make_socket();
        if (open_file() < 0 ||
            by_ring((struct io_uring_sqe){.opcode = IORING_OP_CLOSE, .fd = fd}) != 0) {
            return 1;
        }
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    printf("%d %.3f\n", forgotten, forgotten / (now() - begin));
    return 0;
}
