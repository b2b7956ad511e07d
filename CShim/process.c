/*
 * process.c: start, fork children, the hello, the pipe, and switching off.
 *
 * silt's descriptors are made, used and closed only while nobody else can touch their numbers: at
 * start and at a fork child's first event, by a process of one thread whose signals are blocked.
 * Later nothing is written to them and none is closed, since a number may stand for something else
 * by then.
 */
#define _GNU_SOURCE
#include "aside.h"
#include "exec.h"
#include "memory.h"
#include "rules.h"
#include "sinks.h"
#include "system.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void silt_stamps_reset(void);

static uint32_t not_live, *live_page; /* the page is wiped by fork */
volatile uint32_t *silt_live = &not_live;
uint32_t silt_image_number = 1;
/* The header once more, in a mapping that fork children inherit: one that is not recorded counts
 * itself there. */
static struct silt_header *kin;
/* As it was at start: a fork child may have changed its root since. */
static char executable[SILT_TEXT_BYTES];
static bool refused;          /* the analyzer was told why this image is not recorded */
static long seccomp_at_start; /* not 0: seccomp(2) filters forbid this program something */
/* Nothing is written to the life line: the analyzer takes its end for that of this image. The
 * connection to the analyzer is kept: a fork child that has changed its root or its user since can
 * still say hello. The analyzer takes its end for that of the last process that may. */
enum { LIFE_LINE, RENDEZVOUS };
int silt_own[SILT_OWN_DESCRIPTORS] = {-1, -1};

enum phase { NOTHING, STARTING, RECORDING, OFF };
static _Atomic uint32_t phase;
static uint64_t current_image;
static bool free_stacks; /* SILT_FREE_STACKS=1, as it was at the program's start */
static char socket_path[sizeof((struct sockaddr_un *)0)->sun_path];

const char *silt_variable(const char *name) {
    size_t length = strlen(name);
    for (char **entry = environ; entry && *entry; entry++) {
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
            return *entry + length + 1;
        }
    }
    return NULL;
}

/* Moves a descriptor out of the way of the program's own, close-on-exec. */
static int raise_descriptor(int fd) {
    struct rlimit limit = {1024, 1024};
    silt_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
    long top = limit.rlim_cur > 65536 ? 65536 : (long)limit.rlim_cur;
    for (long from = top > 1100 ? 1000 : top - 8; from > 2; from /= 2) {
        long high = silt_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, from);
        if (high >= 0) {
            silt_call(SYS_close, fd);
            return (int)high;
        }
    }
    return fd;
}

/* What a descriptor refers to: programs close them all, or put their own in their place. */
struct identity {
    dev_t device;
    ino_t inode;
};
static struct identity identities[SILT_OWN_DESCRIPTORS];

static struct identity identify(int fd) {
    struct stat status;
    if (fd < 0 || silt_call(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH) < 0) {
        return (struct identity){0, 0};
    }
    return (struct identity){status.st_dev, status.st_ino};
}

/* Whether one of silt's descriptors is still what it was. Holds for as long as nobody else replaces
 * the number. */
static bool is_still(unsigned which) {
    struct identity now = identify(silt_own[which]);
    return now.inode && now.device == identities[which].device &&
           now.inode == identities[which].inode;
}

static void own(unsigned which, int fd) {
    identities[which] = identify(fd);
    silt_own[which] = fd;
}

/* Whether that number stands for one of silt's descriptors. Anywhere. */
bool silt_holds(int fd) {
    for (unsigned i = 0; i < SILT_OWN_DESCRIPTORS; i++) {
        if (fd == silt_own[i] && is_still(i)) {
            return true;
        }
    }
    return false;
}

/* True when the life line is broken: the analyzer is gone. Looked at before and after, since the
 * program may have put something of its own in its place. In a hook that waits. */
bool silt_line_is_broken(void) {
    struct pollfd state = {silt_own[LIFE_LINE], POLLOUT, 0};
    struct timespec none = {0, 0};
    return is_still(LIFE_LINE) && silt_call(SYS_ppoll, &state, 1, &none, 0, 8) > 0 &&
           (state.revents & POLLERR) && is_still(LIFE_LINE);
}

/* Whether no other thread can change descriptors: there is none, as far as /proc tells, and none of
 * the parent that shares them (clone(2), CLONE_FILES without CLONE_VM). At start, in a fork child.
 */
static bool is_alone(bool forked) {
    struct stat task;
    if (silt_call(SYS_newfstatat, AT_FDCWD, "/proc/self/task", &task, 0) == 0 &&
        task.st_nlink > 3 /* itself, its name, and one for each thread (proc(5)) */) {
        return false;
    }
    /* Filters of sandboxes may forbid the look at a parent: then it is taken for granted. */
    return !forked || seccomp_at_start != 0 ||
           silt_call(SYS_kcmp, silt_call(SYS_getpid, 0), silt_call(SYS_getppid, 0), KCMP_FILES) !=
               0;
}

static long connect_socket(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, socket_path, sizeof address.sun_path);
    long fd = silt_call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fd;
    }
    long error;
    do {
        error = silt_call(SYS_connect, fd, &address, sizeof address);
    } while (error == -EINTR);
    if (error < 0) {
        silt_call(SYS_close, fd);
        return error;
    }
    return fd;
}

/* The connection to the analyzer: the one that is kept, else a new one. 0 or a negative errno. */
static long reach_analyzer(void) {
    if (is_still(RENDEZVOUS)) {
        return 0;
    }
    long fd = connect_socket();
    if (fd < 0) {
        return fd;
    }
    own(RENDEZVOUS, raise_descriptor((int)fd));
    return 0;
}

const char *silt_rendezvous_path(void) {
    return socket_path;
}

bool silt_is_alone(void) {
    return is_alone(true);
}

int silt_kept_rendezvous(void) {
    return is_still(RENDEZVOUS) ? silt_own[RENDEZVOUS] : -1;
}

/* Tells the analyzer why this image will not be recorded; `text` is at most SILT_REFUSAL_TEXT long.
 */
static void refuse(enum silt_refusal reason, const char *text) {
    if (reach_analyzer() < 0) {
        return;
    }
    struct silt_hello hello = {SILT_MAGIC, SILT_WIRE_VERSION, 2, 0, 0, reason};
    struct iovec vectors[2] = {{&hello, sizeof hello},
                               {(void *)text, strnlen(text, SILT_REFUSAL_TEXT)}};
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 2};
    refused = silt_call(SYS_sendmsg, silt_own[RENDEZVOUS], &message, MSG_NOSIGNAL) >= 0;
}

/* Sends the hello with its descriptors; the analyzer owns them from then on. `executable` may be
 * -1. 0 or a negative errno. */
static long send_hello(int pipe_reader, int memory, int executable) {
    struct silt_hello hello = {SILT_MAGIC,         SILT_WIRE_VERSION, 0,
                               silt_shared->image, silt_shared->pid,  0};
    struct iovec vector = {&hello, sizeof hello};
    _Alignas(8) char control[CMSG_SPACE(3 * sizeof(int))] = {0};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control};
    int descriptors[3] = {pipe_reader, memory, executable};
    size_t bytes = (executable < 0 ? 2 : 3) * sizeof(int);
    message.msg_controllen = CMSG_SPACE(bytes);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(bytes);
    memcpy(CMSG_DATA(rights), descriptors, bytes);
    long sent;
    do {
        sent = silt_call(SYS_sendmsg, silt_own[RENDEZVOUS], &message, MSG_NOSIGNAL);
    } while (sent == -EINTR);
    if (sent == -EPIPE || sent == -ECONNRESET) {
        return -ECONNREFUSED;
    }
    return sent < 0 ? sent : 0;
}

/* The hello of this image. Its executable goes along where that can be opened: a short program is
 * gone before the analyzer looks, and its file may be too, or be another by then. A fork child's is
 * its parent's. */
static long say_hello(int pipe_reader, int memory) {
    long error = reach_analyzer();
    if (error < 0) {
        return error;
    }
    long executable =
        silt_shared->forked ? -1 : silt_call(SYS_open, "/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (executable >= 0) {
        error = send_hello(pipe_reader, memory, (int)executable);
        silt_call(SYS_close, executable);
        if (error == 0 || error == -ECONNREFUSED) {
            return error;
        }
    }
    return send_hello(pipe_reader, memory, -1);
}

/* A new pipe for this image; its read end goes to the analyzer with the hello. 0 or a negative
 * errno. */
static long open_pipe(int memory) {
    int ends[2];
    long error = silt_call(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK);
    if (error < 0) {
        return error;
    }
    int writer = raise_descriptor(ends[1]);
    error = say_hello(ends[0], memory);
    silt_call(SYS_close, ends[0]);
    if (error < 0) {
        silt_call(SYS_close, writer);
        return error;
    }
    own(LIFE_LINE, writer);
    return 0;
}

/* Recording is over for good; the hooks only forward from now on. */
void silt_switch_off(uint32_t reason) {
    bool recorded = *silt_live; /* else a fork child, that has no header yet */
    phase = OFF;
    if (!recorded) {
        return;
    }
    *silt_live = 0;
    uint32_t none = SILT_OFF_NO;
    if (__atomic_compare_exchange_n(&silt_shared->off_reason, &none, reason, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        silt_shared->off_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
        __atomic_store_n(&silt_shared->switched_off, 1, __ATOMIC_RELEASE);
    }
}

static void read_file(const char *path, char *into, size_t capacity) {
    long fd = silt_call(SYS_open, path, O_RDONLY | O_CLOEXEC, 0);
    size_t filled = 0;
    while (fd >= 0 && filled < capacity - 2) {
        long got = silt_call(SYS_read, fd, into + filled, capacity - 2 - filled);
        if (got <= 0) {
            break;
        }
        filled += (size_t)got;
    }
    if (fd >= 0) {
        silt_call(SYS_close, fd);
    }
}

uint64_t silt_random(void) {
    uint64_t number = 0;
    silt_call(SYS_getrandom, &number, sizeof number, 0);
    return number | 1;
}

static struct silt_header *map_for_kin(int memory) {
    long at =
        silt_call(SYS_mmap, 0, SILT_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    return at < 0 && at > -4096 ? NULL : (struct silt_header *)at;
}

static void fill_header(uint64_t parent_image, bool forked) {
    struct silt_header *header = silt_shared;
    char *base = (char *)header;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    header->magic = SILT_MAGIC;
    header->version = SILT_WIRE_VERSION;
    header->header_bytes = sizeof *header;
    header->image = silt_random();
    header->parent_image = parent_image;
    header->pid = (uint32_t)silt_call(SYS_getpid, 0);
    header->ppid = (uint32_t)silt_call(SYS_getppid, 0);
    header->forked = forked;
    header->free_stacks = free_stacks;
    header->start_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    read_file("/proc/self/cmdline", base + SILT_COMMAND_OFFSET, SILT_TEXT_BYTES);
    if (!*executable) {
        silt_call(SYS_readlink, "/proc/self/exe", executable, SILT_TEXT_BYTES - 1);
    }
    strcpy(base + SILT_EXE_OFFSET, executable);
    if (!base[SILT_COMMAND_OFFSET]) {
        strcpy(base + SILT_COMMAND_OFFSET, executable); /* no /proc: another root */
    }
    silt_call(SYS_getcwd, base + SILT_CWD_OFFSET, SILT_TEXT_BYTES - 1);
    struct dl_find_object found;
    if (silt_real.malloc && _dl_find_object((void *)silt_real.malloc, &found) == 0) {
        strncpy(base + SILT_ALLOC_OFFSET, found.dlfo_link_map->l_name, SILT_TEXT_BYTES - 1);
    }
}

/* Opens this image's stream; false when no analyzer can be reached. */
static bool begin(uint64_t parent_image, bool forked) {
    const char *elsewhere = silt_malloc_is_elsewhere();
    if (elsewhere) {
        refuse(SILT_REFUSED_MALLOC, elsewhere);
        return false;
    }
    enum silt_refusal reason = SILT_REFUSED_MEMORY;
    if (!live_page) {
        live_page = silt_pages(4096);
    }
    int memory = -1;
    if (live_page && silt_call(SYS_madvise, live_page, 4096, MADV_WIPEONFORK) == 0) {
        memory = silt_memory_make(&reason);
    }
    if (memory < 0) {
        refuse(reason, "");
        return false;
    }
    fill_header(parent_image, forked);
    kin = map_for_kin(memory);
    long error = kin ? open_pipe(memory) : -ENOMEM;
    silt_call(SYS_close, memory);
    if (error < 0) {
        if (error == -EMFILE) {
            refuse(SILT_REFUSED_DESCRIPTORS, "");
        }
        silt_memory_drop();
        return false;
    }
    current_image = silt_shared->image;
    *live_page = free_stacks ? SILT_LIVE_FREE_STACKS : SILT_LIVE;
    silt_live = live_page;
    phase = RECORDING;
    return true;
}

/* A fork child: nothing it inherited may be written to; it becomes an image of its own. One thread
 * is left. */
static bool begin_again(void) {
    bool interrupted = silt_thread.state != SILT_IDLE && silt_thread.state != SILT_ENDED;
    silt_image_number++;
    silt_live = &not_live;
    silt_memory_forget();
    silt_sinks_forget(interrupted ? silt_thread.sink : NULL,
                      interrupted ? silt_thread.signal_sink : NULL);
    silt_threads_forget();
    silt_rules_unlock();
    silt_modules_forget();
    silt_stamps_reset();
    struct silt_header *parent = kin;
    kin = NULL;
    if (silt_is_filtered()) {
        phase = OFF;
        __atomic_fetch_add(&parent->children_filtered, 1, __ATOMIC_RELAXED);
        return false;
    }
    bool begun = false;
    if (is_alone(true)) {
        if (is_still(LIFE_LINE)) {
            silt_call(SYS_close, silt_own[LIFE_LINE]); /* the parent's */
        }
        silt_own[LIFE_LINE] = -1;
        begun = begin(current_image, true);
    }
    if (!begun) {
        phase = OFF;
        __atomic_fetch_add(&parent->children_missed, !refused, __ATOMIC_RELAXED);
    }
    silt_call(SYS_munmap, parent, SILT_HEADER_BYTES);
    return begun;
}

static uintptr_t begin_again_aside(const struct silt_origin *origin, uintptr_t unused,
                                   uintptr_t unused_too, uintptr_t unused_as_well) {
    (void)origin, (void)unused, (void)unused_too, (void)unused_as_well;
    return begin_again();
}

/* SILT_SOCKET names one that listens; else SILT_OUT asks for one of our own. With neither the hooks
 * only forward. */
static bool find_analyzer(void) {
    const char *path = silt_variable("SILT_SOCKET"), *out = silt_variable("SILT_OUT");
    if (path && *path) {
        if (strlen(path) >= sizeof socket_path) {
            return false;
        }
        strcpy(socket_path, path);
        return true;
    }
    return out && *out && silt_start_analyzer(out, socket_path, sizeof socket_path);
}

/* In each fork child, before the program goes on. A fork by a signal handler may have interrupted a
 * hook that this thread will return into. */
static void forked(void) {
    const struct silt_thread *self = &silt_thread;
    bool uses_sinks = self->state == SILT_IN_RECORD || self->state == SILT_IN_SIGNAL ||
                      self->state == SILT_IN_SIGNAL_REAL;
    if (phase != RECORDING || !uses_sinks || self->image != silt_image_number) {
        return;
    }
    if (self->sink) {
        silt_memory_cover(self->sink->index, self->sink->ring);
    }
    if (self->signal_sink) {
        silt_memory_cover(self->signal_sink->index, self->signal_sink->ring);
    }
}

/* fork(3) without the handlers of pthread_atfork(3). */
SILT_EXPORT pid_t _Fork(void) {
    pid_t child = silt_real.fork ? silt_real.fork() : -1;
    if (child == 0) {
        forked();
    }
    return child;
}

static uintptr_t begin_aside(const struct silt_origin *origin, uintptr_t unused,
                             uintptr_t unused_too, uintptr_t unused_as_well) {
    (void)origin, (void)unused, (void)unused_too, (void)unused_as_well;
    return is_alone(false) && begin(0, false);
}

static void start(void) {
    silt_find_real();
    silt_exec_init();
    if (getauxval(AT_SECURE) || !find_analyzer()) {
        phase = OFF;
        return;
    }
    const char *wanted = silt_variable("SILT_FREE_STACKS");
    free_stacks = wanted && strcmp(wanted, "1") == 0;
    silt_threads_init();
    seccomp_at_start = silt_call(SYS_prctl, PR_GET_SECCOMP);
    if (!silt_aside(begin_aside, 0, 0, 0)) {
        phase = OFF;
    }
}

/* Whether the caller is a vfork(2) child, which has the memory of the image that is recorded, but
 * is another process. */
bool silt_is_borrowed(void) {
    return *silt_live && (uint32_t)silt_call(SYS_getpid, 0) != silt_shared->pid;
}

/* silt_live read 0 in a program that was being recorded: a fork child. */
bool silt_wake_child(void) {
    uint32_t recording = RECORDING;
    if (phase == RECORDING && *silt_live) {
        return true;
    }
    if (!__atomic_compare_exchange_n(&phase, &recording, STARTING, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST)) {
        return false;
    }
    silt_aside_forget();
    return silt_aside(begin_again_aside, 0, 0, 0);
}

/* silt_live read 0: this is the first call, a fork child's first, or recording is off. */
bool silt_wake_up(void) {
    uint32_t expected = NOTHING;
    if (SILT_LIKELY(phase == OFF || phase == STARTING)) {
        return false;
    }
    if (phase == RECORDING) {
        return silt_wake_child();
    }
    if (!__atomic_compare_exchange_n(&phase, &expected, STARTING, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST)) {
        return false;
    }
    start();
    return phase == RECORDING;
}

__attribute__((constructor)) static void at_start(void) {
    silt_wake_up();
    /* Not in the first hook, which may be called by what holds the lock of that list. */
    if (phase == RECORDING) {
        pthread_atfork(NULL, NULL, forked);
    }
}

/* At the end of pid 1 the kernel kills the rest of its pid namespace: an analyzer that was started
 * there needs the time to close its recording. Bounded: it is not waited for more than 10 s. */
__attribute__((destructor)) static void at_end(void) {
    if (phase != RECORDING || !*silt_live || silt_shared->pid != 1) {
        return;
    }
    silt_shared->leaving = 1;
    silt_raise_news();
    for (int i = 0; i < 1000 && !silt_shared->leave_answer && !silt_shared->reader_gone; i++) {
        struct timespec pause = {0, 10000000};
        silt_call(SYS_futex, &silt_shared->leave_answer, FUTEX_WAIT, 0, &pause);
    }
}
