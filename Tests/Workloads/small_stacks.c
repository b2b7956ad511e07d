/* small_stacks.c: small_stacks SITUATION BYTES LIBRARY OPERATORS: allocates in a handler whose
 * alternate stack has BYTES, with a page below that nothing may touch; in the situation
 * coroutine-NAME on such a stack of its own. With 0 bytes the stack is large: prints how many bytes
 * of it were written to. LIBRARY is made.c, OPERATORS the same as C++. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define LARGE (256u << 10)
#define PAINT 0xa5

static void *volatile kept;
static const char *situation;
static int in_coroutine;
static void *(*in_library)(void);
static size_t bytes;
static uint8_t *stack;
static int segment, sockets[2];
static int (*const volatile start)(const char *, char *const *, char *const *) = execve;

/* What the situations "segment" and "message" find there. */
static int prepare(void) {
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {"x", 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    void *attached = shmat(segment, NULL, 0);
    shmctl(segment, IPC_RMID, NULL);
    return attached != (void *)-1 && socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) == 0 &&
           sendmsg(sockets[1], &message, 0) == 1 && sendmsg(sockets[1], &message, 0) == 1;
}

__attribute__((noinline)) static void allocate(void) {
    kept = malloc(60);
    __asm__ volatile("" ::: "memory");
}

static void act(void) {
    if (strcmp(situation, "library") == 0 || strcmp(situation, "operator") == 0) {
        kept = in_library();
    } else if (strcmp(situation, "mapping") == 0) {
        kept = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    } else if (strcmp(situation, "ring") == 0) {
        for (int i = 0; i < 60000; i++) {
            kept = malloc(60);
            free(kept);
        }
    } else if (strcmp(situation, "free") == 0) {
        free(kept);
    } else if (strcmp(situation, "open") == 0) {
        close(open("/dev/null", O_RDONLY));
    } else if (strcmp(situation, "pipe") == 0) {
        int ends[2];
        if (pipe(ends) != 0 || dup2(ends[0], ends[1]) != ends[1]) {
            _exit(3);
        }
    } else if (strcmp(situation, "segment") == 0) {
        kept = shmat(segment, NULL, 0);
        shmdt(kept);
    } else if (strcmp(situation, "message") == 0) {
        char control[CMSG_SPACE(sizeof(int))], byte;
        struct iovec part = {&byte, 1};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        if (recvmsg(sockets[0], &message, 0) != 1) {
            _exit(3);
        }
    } else if (strcmp(situation, "execute") == 0 || strcmp(situation, "vfork") == 0) {
        char *arguments[] = {"/bin/true", NULL};
        int status = 0;
        pid_t child = *situation == 'v' ? vfork() : fork();
        if (child == 0) {
            start(arguments[0], arguments, environ);
            _exit(3);
        }
        if (waitpid(child, &status, 0) != child || status != 0) {
            _exit(3);
        }
    } else if (strcmp(situation, "realloc") == 0) {
        kept = realloc(kept, 50);
    } else {
        allocate();
    }
}

static void handler(int signal) {
    (void)signal;
    act();
}

static ucontext_t outside, inside;

static void *run(void *unused) {
    (void)unused;
    if (in_coroutine) {
        getcontext(&inside);
        inside.uc_stack.ss_sp = stack;
        inside.uc_stack.ss_size = bytes;
        inside.uc_link = &outside;
        makecontext(&inside, act, 0);
        swapcontext(&outside, &inside);
        return NULL;
    }
    stack_t alternate = {.ss_sp = stack, .ss_size = bytes};
    if (sigaltstack(&alternate, NULL) != 0) {
        perror("sigaltstack");
        exit(2);
    }
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    pthread_kill(pthread_self(), SIGUSR1);
    return NULL;
}

static void say_depth(int measured) {
    size_t untouched = 0;
    while (measured && untouched < bytes && stack[untouched] == PAINT) {
        untouched++;
    }
    char line[32];
    int length = snprintf(line, sizeof line, "%zu\n", measured ? bytes - untouched : 0);
    if (write(1, line, (size_t)length) != length) {
        exit(2);
    }
}

int main(int argc, char **argv) {
    if (argc < 5) {
        return 2;
    }
    in_coroutine = strncmp(argv[1], "coroutine-", 10) == 0;
    situation = argv[1] + (in_coroutine ? 10 : 0);
    int measured = atol(argv[2]) == 0;
    bytes = measured ? LARGE : (size_t)atol(argv[2]);
    size_t whole = (bytes + 4095) & ~(size_t)4095;
    uint8_t *memory = mmap(NULL, whole + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack = memory + 8192;
    if (memory == MAP_FAILED || mprotect(stack, whole, PROT_READ | PROT_WRITE) != 0) {
        return 2;
    }
    memset(stack, PAINT, whole);
    int operators = strcmp(situation, "operator") == 0;
    void *library = dlopen(argv[operators ? 4 : 3], RTLD_NOW | RTLD_LOCAL);
    in_library = library ? (void *(*)(void))dlsym(library, "made") : NULL;
    if (!in_library) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    if (!prepare()) {
        return 2;
    }
    /* What the program itself has done before: the C library is warm, the libraries are not. */
    kept = malloc(60);
    free(kept);
    allocate();
    static const char *const bound[] = {"open", "pipe", "segment", "message", "execute", "vfork"};
    for (size_t i = 0; i < sizeof bound / sizeof *bound; i++) {
        if (strcmp(situation, bound[i]) == 0) {
            act(); /* the loader needs more stack than these calls do */
        }
    }
    if (strcmp(situation, "thread") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, run, NULL);
        pthread_join(thread, NULL);
    } else if (strcmp(situation, "child") == 0) {
        pid_t child = fork();
        if (child == 0) {
            run(NULL);
            say_depth(measured);
            _exit(0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else {
        run(NULL);
    }
    say_depth(measured);
    return 0;
}
