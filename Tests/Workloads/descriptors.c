/*
 * descriptors WAY FOLDER: a program that takes other programs' descriptors for its own, while its
 * threads allocate.
 *
 * The first line on its standard output is the same with silt as without: what the calls gave. The
 * second one counts bytes that arrived in what it put in the place of others' descriptors, and of
 * its own ones those that were closed behind its back: "0 foreign bytes, 0 lost".
 *
 * raw:     each number from 3 on is closed by a bare system call and gets a file, a socket or a
 *          pipe of the program's, again and again by two threads
 * libc:    the same by close, dup2, dup3, close_range and closefrom
 * syscall: the same by syscall(3)
 * daemon:  a child closes all, changes root and user as far as it may, and allocates only then
 * bare-daemon: the same, closing by bare system calls
 * spawning-daemon: as daemon, after 20 vfork children that close all
 * answers: what close and the like answer for numbers that the program has not opened
 * until-none, until-none-by-range: closes what /proc/self/fd lists until that is nothing
 */
#define _GNU_SOURCE
#include "bare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NUMBERS 1100
#define ROUNDS  1500

static const char *way;
static volatile bool over;

__attribute__((noinline)) static void *descriptor_block(void) {
    return malloc(91);
}

/* Enough for its news to be raised all the time. */
static void *allocate(void *argument) {
    (void)argument;
    while (!over) {
        for (int i = 0; i < 1000; i++) {
            void *volatile block = descriptor_block();
            free(block);
            block = malloc(16);
            free(block);
        }
    }
    return NULL;
}

static void put(int from, int to) {
    if (strcmp(way, "raw") == 0) {
        bare(SYS_close, to, 0, 0);
        bare(SYS_dup2, from, to, 0);
    } else if (strcmp(way, "syscall") == 0) {
        syscall(SYS_close, to);
        syscall(SYS_dup3, from, to, 0);
    } else {
        close(to);
        if (to & 1) {
            dup2(from, to);
        } else {
            dup3(from, to, O_CLOEXEC);
        }
    }
}

static void clear(int from) {
    if (strcmp(way, "raw") == 0) {
        for (int fd = from; fd < NUMBERS; fd++) {
            bare(SYS_close, fd, 0, 0);
        }
    } else if (strcmp(way, "syscall") == 0) {
        syscall(SYS_close_range, from, NUMBERS, 0);
    } else {
        close_range((unsigned)from, NUMBERS / 2, 0);
        closefrom(from);
    }
}

static long in_file(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 ? (long)status.st_size : 1;
}

static long waiting(int fd) {
    char bytes[4096];
    ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    return got > 0 ? got : 0;
}

static long in_pipe(int fd) {
    char bytes[4096];
    ssize_t got = read(fd, bytes, sizeof bytes);
    return got > 0 ? got : 0;
}

/* Round after round everything beyond the program's own six is closed, and its own put there. */
static long foreign, lost;

static void reuse(const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/mine", folder);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    int sockets[2], pipes[2];
    if (file < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) || pipe2(pipes, O_NONBLOCK)) {
        exit(2);
    }
    int mine[3] = {file, sockets[0], pipes[1]};
    int first = pipes[1] + 1;
    for (int round = 0; round < ROUNDS; round++) {
        /* A few numbers at a time, high ones among them: that is where others keep theirs. */
        for (int i = 0; i < 24; i++) {
            int to = i < 8 ? first + i : 990 + i;
            put(mine[(round + i) % 3], to);
        }
        for (int i = 0; i < 24; i++) {
            int to = i < 8 ? first + i : 990 + i;
            struct stat status, wanted;
            if (fstat(to, &status) || fstat(mine[(round + i) % 3], &wanted) ||
                status.st_ino != wanted.st_ino) {
                lost++;
            }
        }
        if (round % 16 == 0) {
            clear(first);
        }
        foreign += waiting(sockets[1]) + in_pipe(pipes[0]);
    }
    foreign += in_file(file);
}

static void spawn_closers(void) {
    for (int i = 0; i < 20; i++) {
        pid_t child = vfork();
        if (child == 0) {
            for (int fd = 3; fd < 4096; fd++) {
                close(fd);
            }
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
}

static int daemonize(const char *folder) {
    if (strcmp(way, "spawning-daemon") == 0) {
        spawn_closers();
    }
    pid_t child = fork();
    if (child == 0) {
        if (strcmp(way, "bare-daemon") != 0) {
            closefrom(3);
        } else {
            bare(SYS_close_range, 3, ~0u, 0);
        }
        if (geteuid() == 0 && (chroot(folder) || chdir("/") || setuid(65534))) {
            _exit(2);
        }
        for (int i = 0; i < 1000; i++) {
            void *volatile block = descriptor_block();
            (void)block;
        }
        _exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    return status != 0;
}

static void answers(void) {
    int closed = 0;
    for (int fd = 3; fd < NUMBERS; fd++) {
        errno = 0;
        closed += close(fd) == 0;
        closed += errno != EBADF;
    }
    printf("closed %d", closed);
    closed = 0;
    for (int fd = 3; fd < NUMBERS; fd++) {
        errno = 0;
        closed += syscall(SYS_close, fd, 0, 0) == 0 || errno != EBADF;
        closed += dup2(fd, fd) != -1 || errno != EBADF;
        closed += dup2(fd, 5000) != -1 || errno != EBADF;
    }
    printf(" %d", closed);
    closed = 0;
    for (int fd = 3; fd < NUMBERS; fd++) {
        closed += dup2(1, fd) == fd;
    }
    int moved = 0;
    for (int fd = 3; fd < NUMBERS; fd++) {
        errno = 0;
        moved += dup3(1, fd, 0) == fd;
    }
    printf(", put %d %d", closed, moved);
    errno = 0;
    int range = close_range(5, 4, 0);
    printf(", ranges %d %d", range, errno);
    errno = 0;
    range = close_range(3, ~0u, 64);
    printf(" %d %d", range, errno);
    errno = 0;
    range = close_range(3, ~0u, 0);
    printf(" %d %d", range, errno);
    errno = 0;
    range = (int)syscall(SYS_close_range, 3, 2000, 0);
    printf(" %d %d", range, errno);
    errno = 5;
    closefrom(3);
    closefrom(-1000 + 1003);
    printf(", errno %d", errno);
    errno = 0;
    printf(", %d", dup3(1, 1, 0));
    printf(" %d", errno);
    errno = 0;
    printf(", %d", open("/dev/null", O_RDONLY));
    printf(" %d\n", errno);
}

/* Descriptors beyond the first three that are listed; what `closes` is closed. */
static int listed(bool closes) {
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        int fd = atoi(entry->d_name);
        if (fd > 2 && fd != dirfd(folder)) {
            count++;
            if (closes) {
                close(fd);
            }
        }
    }
    closedir(folder);
    return count;
}

static int close_until_none(void) {
    int rounds = 0;
    bool by_range = strcmp(way, "until-none") != 0;
    while (listed(!by_range) && ++rounds < 10000) {
        if (by_range) {
            close_range(3, ~0u, 0);
        }
    }
    for (int i = 0; i < 200000; i++) {
        void *volatile block = descriptor_block();
        if (i % 2) {
            free(block);
        }
    }
    pid_t child = fork();
    if (child == 0) {
        void *volatile block = descriptor_block();
        (void)block;
        exit(3);
    }
    int status = 0;
    waitpid(child, &status, 0);
    printf("%s, %d, first %d\n", rounds < 10000 ? "none" : "some", WEXITSTATUS(status),
           open("/dev/null", O_RDONLY));
    return listed(false) != 1;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    way = argc > 1 ? argv[1] : "";
    void *volatile first = malloc(1);
    free(first);
    if (strstr(way, "daemon")) {
        return daemonize(argc > 2 ? argv[2] : "/tmp");
    }
    if (strstr(way, "until-none")) {
        return close_until_none();
    }
    if (strcmp(way, "answers") == 0) {
        answers();
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, allocate, NULL);
    }
    reuse(argc > 2 ? argv[2] : "/tmp");
    over = true;
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("%ld foreign bytes, %ld lost\n", foreign, lost);
    return 0;
}
