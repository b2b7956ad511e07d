/* odd_clients SOCKET CASE: says hello to a listener of silt as no preload library would, then stays
 * until its standard input ends. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../CShim/wire/silt_wire.h"

#define FILE_BYTES (64l << 20)

static uint64_t image;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void nothing(int number) {
    (void)number;
}

static int dial(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        fail("connect");
    }
    return fd;
}

static void say(int fd, struct silt_hello hello, size_t bytes, const int *handed, int count) {
    char control[CMSG_SPACE(sizeof(int) * 32)] = {0};
    struct iovec part = {&hello, bytes};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(c), handed, sizeof(int) * (size_t)count);
    }
    if (sendmsg(fd, &message, 0) < 0) {
        fail("sendmsg");
    }
}

/* A memory file of an image without slots. */
static int memory(unsigned flags) {
    int fd = memfd_create("odd", flags);
    if (fd < 0 || ftruncate(fd, FILE_BYTES) < 0) {
        fail("memfd_create");
    }
    struct silt_header header = {.magic = SILT_MAGIC,
                                 .version = SILT_WIRE_VERSION,
                                 .header_bytes = sizeof header,
                                 .image = image,
                                 .pid = (uint32_t)getpid()};
    if (pwrite(fd, &header, sizeof header, 0) != sizeof header) {
        fail("pwrite");
    }
    return fd;
}

/* Changes the counters of its slots as no shim does, while they are read. */
static void lie(int memory, const char *name) {
    size_t length = SILT_BLOCKS_OFFSET + SILT_BLOCK_BYTES;
    char *file = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (file == MAP_FAILED) {
        fail("mmap");
    }
    struct silt_header *header = (struct silt_header *)file;
    struct silt_slot *slot = (struct silt_slot *)(file + SILT_BLOCKS_OFFSET);
    uint64_t *ring = (uint64_t *)(file + SILT_BLOCKS_OFFSET + SILT_STATES_BYTES);
    /* Each is a PAD of its own. */
    for (size_t i = 0; i < SILT_RING_BYTES / sizeof *ring; i++) {
        ring[i] = 0x11;
    }
    header->slot_count = 1;
    uint64_t said = 0;
    for (int round = 0; round < 3000; round++) {
        if (strcmp(name, "consumed-lies") == 0) {
            slot->consumed = round % 2 ? 0 : ~0ull;
        } else if (strcmp(name, "published-lies") == 0) {
            slot->published = round % 2 ? 0x7fffffff : 64;
        } else if (strcmp(name, "count-lies") == 0) {
            header->slot_count = round % 2 ? 1 : 0xffffffff;
        } else {
            memset((char *)header + offsetof(struct silt_header, start_ns), 0x0f,
                   sizeof *header - offsetof(struct silt_header, start_ns));
        }
        said += strcmp(name, "consumed-lies") == 0 || strcmp(name, "count-lies") == 0 ? 64 : 0;
        if (said) {
            __atomic_store_n(&slot->published, silt_published(said, 0), __ATOMIC_RELEASE);
        }
        usleep(100);
    }
}

int main(int argc, char **argv) {
    if (argc < 3) {
        return 2;
    }
    const char *name = argv[2];
    int fd = dial(argv[1]);
    int pipe_ends[2], pair[2];
    if (pipe(pipe_ends) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        fail("pipe");
    }
    image = 0x0dd0000000000000ull + (uint64_t)getpid();
    int good = memory(MFD_ALLOW_SEALING);
    int handed[8] = {pipe_ends[0], good, good, good, good, good, good, good};
    int count = 2;
    struct silt_hello hello = {.magic = SILT_MAGIC,
                               .version = SILT_WIRE_VERSION,
                               .image = image,
                               .pid = (uint32_t)getpid()};
    size_t bytes = sizeof hello;
    int shrinks = 0, lies = 0;
    if (strcmp(name, "shrinks") == 0) {
        handed[1] = memory(0);
        shrinks = 1;
    } else if (strcmp(name, "tries-to-shrink") == 0) {
        shrinks = 1;
    } else if (strcmp(name, "file-as-pipe") == 0) {
        handed[0] = open("/etc/passwd", O_RDONLY);
    } else if (strcmp(name, "folder-as-pipe") == 0) {
        handed[0] = open("/", O_RDONLY);
    } else if (strcmp(name, "socket-as-pipe") == 0) {
        handed[0] = pair[0];
    } else if (strcmp(name, "device-as-pipe") == 0) {
        handed[0] = open("/dev/zero", O_RDONLY);
    } else if (strcmp(name, "writing-end") == 0) {
        handed[0] = pipe_ends[1];
    } else if (strcmp(name, "folder-as-memory") == 0) {
        handed[1] = open("/", O_RDONLY);
    } else if (strcmp(name, "pipe-as-memory") == 0) {
        handed[1] = pipe_ends[0];
    } else if (strcmp(name, "file-as-memory") == 0) {
        handed[1] = open(argv[0], O_RDONLY);
    } else if (strcmp(name, "read-only-memory") == 0) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", good);
        handed[1] = open(path, O_RDONLY);
    } else if (strcmp(name, "short-memory") == 0) {
        handed[1] = memfd_create("odd", MFD_ALLOW_SEALING);
    } else if (strcmp(name, "other-image") == 0) {
        hello.image++;
    } else if (strcmp(name, "no-descriptors") == 0) {
        count = 0;
    } else if (strcmp(name, "one-descriptor") == 0) {
        count = 1;
    } else if (strcmp(name, "eight-descriptors") == 0) {
        count = 8;
    } else if (strcmp(name, "short-hello") == 0) {
        bytes = 11;
    } else if (strcmp(name, "other-version") == 0) {
        hello.version += 1000;
    } else if (strstr(name, "-lies")) {
        lies = 1;
    } else if (strcmp(name, "stolen-flags") != 0) {
        return 2;
    }
    say(fd, hello, bytes, handed, count);
    if (lies) {
        lie(handed[1], name);
    }
    if (strcmp(name, "stolen-flags") == 0) {
        /* The listener is told that there is something, and finds nothing: it must not wait. */
        struct sigaction interrupted = {.sa_handler = nothing};
        sigaction(SIGALRM, &interrupted, NULL);
        usleep(100000);
        fcntl(pipe_ends[0], F_SETFL, 0);
        alarm(1);
        char byte;
        while (write(pipe_ends[1], "x", 1) == 1 && read(pipe_ends[0], &byte, 1) == 1) {
        }
    }
    if (shrinks) {
        usleep(100000);
        if (ftruncate(handed[1], 0) < 0) {
            perror("ftruncate");
        }
        struct silt_chunk chunk = {.magic = SILT_MAGIC, .image = image, .length = 64};
        if (write(pipe_ends[1], &chunk, sizeof chunk) != sizeof chunk) {
            fail("write");
        }
    }
    puts("said");
    fflush(stdout);
    char rest[64];
    while (read(0, rest, sizeof rest) > 0) {
    }
    return 0;
}
