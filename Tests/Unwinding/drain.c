/* drain.c: drain SHIM COMMAND…: runs a command under a shim and throws its records away.
 *
 * Stands in for the analyzer where only the target is of interest: takes hellos, maps each image's
 * memory file and reports everything as consumed. Exits with the command's status. Last line on
 * standard error: CPU of the command and its children in seconds, records' bytes, stacks, slow and
 * truncated ones, waits. */
#define _GNU_SOURCE
#include "silt_wire.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_IMAGES 4096

static struct image {
    uint8_t *memory;
    size_t bytes;
    int pipe;
} images[MAX_IMAGES];
static unsigned image_count;
static uint64_t total_bytes, stacks, slow, truncated, waits, lost;

static bool drain_image(struct image *image) {
    struct silt_header *header = (void *)image->memory;
    bool moved = false;
    for (uint32_t i = 0; i < header->slot_count; i++) {
        size_t at = silt_block_offset(i / SILT_BLOCK_SLOTS);
        if (at + SILT_BLOCK_BYTES > image->bytes) {
            break;
        }
        struct silt_slot *slot =
            (struct silt_slot *)(void *)(image->memory + at) + i % SILT_BLOCK_SLOTS;
        uint32_t published = (uint32_t)__atomic_load_n(&slot->published, __ATOMIC_ACQUIRE);
        uint32_t words = published - (uint32_t)(slot->consumed >> 3);
        if (words) {
            total_bytes += (uint64_t)words * 8;
            __atomic_store_n(&slot->consumed, slot->consumed + (uint64_t)words * 8,
                             __ATOMIC_SEQ_CST);
            moved = true;
        }
        if (__atomic_load_n(&slot->waiting, __ATOMIC_SEQ_CST)) {
            __atomic_store_n(&slot->waiting, 0, __ATOMIC_SEQ_CST);
            syscall(SYS_futex, &slot->waiting, FUTEX_WAKE, 1, 0, 0, 0);
        }
    }
    return moved;
}

static void close_image(struct image *image) {
    struct silt_header *header = (void *)image->memory;
    drain_image(image);
    stacks += header->stacks;
    slow += header->stacks_slow;
    truncated += header->stacks_truncated;
    waits += header->waits;
    lost += header->lost;
    munmap(image->memory, image->bytes);
    close(image->pipe);
    *image = images[--image_count];
}

static void take_hello(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct silt_hello hello;
    struct iovec vector = {&hello, sizeof hello};
    _Alignas(8) char control[CMSG_SPACE(2 * sizeof(int))];
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    if (fd < 0 || recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != sizeof hello) {
        close(fd);
        return;
    }
    close(fd);
    int descriptors[2] = {-1, -1};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    memcpy(descriptors, CMSG_DATA(rights), rights->cmsg_len - CMSG_LEN(0));
    if (hello.kind) {
        return;
    }
    struct stat status;
    if (image_count == MAX_IMAGES || fstat(descriptors[1], &status) != 0) {
        close(descriptors[0]);
        close(descriptors[1]);
        return;
    }
    void *memory =
        mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptors[1], 0);
    close(descriptors[1]);
    if (memory == MAP_FAILED) {
        close(descriptors[0]);
        return;
    }
    images[image_count++] = (struct image){memory, (size_t)status.st_size, descriptors[0]};
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: drain SHIM COMMAND...\n");
        return 2;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/silt-drain-%d", getpid());
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    unlink(address.sun_path);
    if (bind(listener, (void *)&address, sizeof address) != 0 || listen(listener, 512) != 0) {
        perror("drain");
        return 2;
    }
    pid_t child = fork();
    if (child == 0) {
        if (argv[1][0]) {
            setenv("LD_PRELOAD", argv[1], 1);
        }
        setenv("SILT_SOCKET", address.sun_path, 1);
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status = 0;
    bool ended = false;
    struct rusage usage = {0};
    while (!ended || image_count) {
        struct pollfd waiting[MAX_IMAGES + 1] = {{listener, POLLIN, 0}};
        for (unsigned i = 0; i < image_count; i++) {
            waiting[i + 1] = (struct pollfd){images[i].pipe, POLLIN, 0};
        }
        unsigned polled = image_count;
        poll(waiting, polled + 1, 5);
        for (unsigned i = polled; i-- > 0;) {
            bool over = false;
            if (waiting[i + 1].revents) {
                char chunks[4096];
                ssize_t got = read(images[i].pipe, chunks, sizeof chunks);
                over = got == 0 || (got < 0 && errno != EAGAIN);
            }
            if (over) {
                close_image(&images[i]);
            } else {
                drain_image(&images[i]);
            }
        }
        if (waiting[0].revents) {
            take_hello(listener);
        } else if (ended && !polled) {
            break;
        }
        ended = ended || wait4(child, &status, WNOHANG, &usage) == child;
    }
    unlink(address.sun_path);
    fprintf(
        stderr,
        "drain: cpu %.3f bytes %llu stacks %llu slow %llu truncated %llu waits %llu lost %llu\n",
        (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
            (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
        (unsigned long long)total_bytes, (unsigned long long)stacks, (unsigned long long)slow,
        (unsigned long long)truncated, (unsigned long long)waits, (unsigned long long)lost);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
