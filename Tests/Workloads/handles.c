/* handles.c: a server that keeps what has a handle, and its load.
 *
 * `handles serve SOCKET [workers|threads]` answers at a Unix socket, with `workers` in two child
 * processes, with `threads` in 8 threads. Each request says in its first letter what is to be done;
 * a capital letter does the same and gives it back, and `a` does all. `handles load SOCKET LETTER
 * COUNT` makes that many requests, one after another. `handles run LETTER SECONDS [HOW]` does it in
 * a loop, and prints how often and in how many seconds; HOW `kill`: SIGKILL ends it then; `worker`:
 * a forked child does it; `threads`: 8 threads do, each an eighth as often. `handles arm [disarm]`
 * arms the timer of a clock again and again, one of another clock once, and disarms them. */
#define _GNU_SOURCE
#include "bare.h"
#include "letters.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>

/* Stacks of waiting and unjoined threads stay: small ones, so that many fit. */
#define STACK_BYTES (64 << 10)

static void *end_at_once(void *argument) {
    return argument;
}

static int end_at_once_too(void *argument) {
    return argument != NULL;
}

/* Allocates: silt sees such a thread end. */
static void *allocate_and_end(void *argument) {
    free(malloc(100));
    return argument;
}

static void *wait_for_ever(void *argument) {
    for (;;) {
        pause();
    }
    return argument;
}

__attribute__((noinline)) static void forget_join(void *(*body)(void *), int joins) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_create(&thread, &attributes, body, NULL);
    pthread_attr_destroy(&attributes);
    if (joins) {
        pthread_join(thread, NULL);
    }
}

__attribute__((noinline)) static void forget_thrd_join(int joins) {
    thrd_t thread;
    thrd_create(&thread, end_at_once_too, NULL);
    if (joins) {
        thrd_join(thread, NULL);
    }
}

__attribute__((noinline)) static void start_worker(void *(*body)(void *)) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_create(&thread, &attributes, body, NULL);
    pthread_attr_destroy(&attributes);
}

__attribute__((noinline)) static void keep_timer(int deletes) {
    struct sigevent event = {0};
    event.sigev_notify = SIGEV_NONE;
    timer_t timer;
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    if (deletes) {
        timer_delete(timer);
    }
}

__attribute__((noinline)) static void keep_semaphore(int closes) {
    static int number;
    char name[50];
    snprintf(name, sizeof name, "/silt-handles-%d-%d", getpid(), number++);
    sem_t *semaphore = sem_open(name, O_CREAT, 0600, 1);
    sem_unlink(name);
    if (closes) {
        sem_close(semaphore);
    }
}

__attribute__((noinline)) static void keep_locale(int frees) {
    locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (frees) {
        freelocale(locale);
    }
}

__attribute__((noinline)) static void keep_segment(int detaches) {
    int id = shmget(IPC_PRIVATE, 10000, IPC_CREAT | 0600);
    void *there = shmat(id, NULL, 0);
    shmctl(id, IPC_RMID, NULL);
    if (detaches) {
        shmdt(there);
    }
}

__attribute__((noinline)) static void keep_descriptor(int closes) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (closes) {
        close(fd);
    }
}

/* Past the C library, as what has no function there. */
__attribute__((noinline)) static void keep_unseen_descriptor(int closes) {
    long fd = bare(SYS_eventfd2, 0, 0, 0);
    if (closes) {
        bare(SYS_close, fd, 0, 0);
    }
}

__attribute__((noinline)) static void keep_mapping(int unmaps) {
    char *there = mmap(NULL, 12288, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (unmaps) {
        munmap(there, 12288);
    }
}

/* A child ends at once, and is waited for or not. */
__attribute__((noinline)) static void leave_child(int waits) {
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    if (waits) {
        waitpid(child, NULL, 0);
    } else {
        /* It has ended when the request has. */
        siginfo_t info;
        waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    }
}

/* Loads one more copy of a small library. */
__attribute__((noinline)) static void load_module(int unloads) {
    static int number;
    char path[60], buffer[65536];
    snprintf(path, sizeof path, "/tmp/silt-handles-%d-%d.so", getpid(),
             __atomic_fetch_add(&number, 1, __ATOMIC_RELAXED));
    int from = open("/lib/x86_64-linux-gnu/libutil.so.1", O_RDONLY | O_CLOEXEC);
    int to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    for (ssize_t got; (got = read(from, buffer, sizeof buffer)) > 0;) {
        (void)!write(to, buffer, (size_t)got);
    }
    close(from);
    close(to);
    void *module = dlopen(path, RTLD_NOW);
    unlink(path);
    if (module == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        abort();
    }
    if (unloads) {
        dlclose(module);
    }
}

static void serve_letter(char letter) {
    switch (letter) {
    case 'a':
    case 'A':
        for (const char *one = letter == 'a' ? "jwtslmdrpzo" : "JWTSLMDRPZO"; *one; one++) {
            serve_letter(*one);
        }
        break;
    case 'd':
        keep_descriptor(0);
        break;
    case 'D':
        keep_descriptor(1);
        break;
    case 'r':
        keep_unseen_descriptor(0);
        break;
    case 'R':
        keep_unseen_descriptor(1);
        break;
    case 'z':
        leave_child(0);
        break;
    case 'Z':
        leave_child(1);
        break;
    case 'o':
        load_module(0);
        break;
    case 'O':
        load_module(1);
        break;
    case 'p':
        keep_mapping(0);
        break;
    case 'P':
        keep_mapping(1);
        break;
    case 'j':
        forget_join(end_at_once, 0);
        break;
    case 'J':
        forget_join(end_at_once, 1);
        break;
    case 'k':
        forget_join(allocate_and_end, 0);
        break;
    case 'K':
        forget_join(allocate_and_end, 1);
        break;
    case 'c':
        forget_thrd_join(0);
        break;
    case 'C':
        forget_thrd_join(1);
        break;
    case 'w':
        start_worker(wait_for_ever);
        break;
    case 'W':
        start_worker(end_at_once);
        break;
    case 't':
        keep_timer(0);
        break;
    case 'T':
        keep_timer(1);
        break;
    case 's':
        keep_semaphore(0);
        break;
    case 'S':
        keep_semaphore(1);
        break;
    case 'l':
        keep_locale(0);
        break;
    case 'L':
        keep_locale(1);
        break;
    case 'm':
        keep_segment(0);
        break;
    case 'M':
        keep_segment(1);
        break;
    default:
        abort();
    }
}

static int listener;

static void *serve(void *argument) {
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        char letter = 0;
        if (read(connection, &letter, 1) == 1) {
            serve_letter(letter);
            (void)!write(connection, "ok", 2);
        }
        close(connection);
    }
    return argument;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct {
    char letter;
    double start, seconds;
    int threads;
    atomic_int done;
} loop = {.threads = 1};

static void *run_loop(void *argument) {
    /* 50 a second, however long each takes. */
    for (int turn = 1; now() - loop.start < loop.seconds; turn++) {
        serve_letter(loop.letter);
        loop.done++;
        double left = loop.start + turn * 0.02 * loop.threads - now();
        if (left > 0) {
            nanosleep(&(struct timespec){(time_t)left, (long)((left - (time_t)left) * 1e9)}, NULL);
        }
    }
    return argument;
}

__attribute__((noinline)) static void arm_timer(int clock, long interval) {
    setitimer(clock, &(struct itimerval){{interval, 0}, {100, 0}}, NULL);
}

static int arm(int disarms) {
    for (int i = 0; i < 3; i++) {
        arm_timer(ITIMER_VIRTUAL, 100);
    }
    arm_timer(ITIMER_PROF, 0);
    if (disarms) {
        setitimer(ITIMER_VIRTUAL, &(struct itimerval){0}, NULL);
        setitimer(ITIMER_PROF, &(struct itimerval){0}, NULL);
    }
    return 0;
}

static int run(char letter, double seconds, const char *how) {
    if (!strcmp(how, "worker") && fork() != 0) {
        wait(NULL);
        return 0;
    }
    loop.letter = letter;
    loop.start = now();
    loop.seconds = seconds;
    if (!strcmp(how, "threads")) {
        loop.threads = 8;
        pthread_t threads[8];
        for (int i = 0; i < 8; i++) {
            pthread_create(&threads[i], NULL, run_loop, NULL);
        }
        for (int i = 0; i < 8; i++) {
            pthread_join(threads[i], NULL);
        }
    } else {
        run_loop(NULL);
    }
    printf("%d %f\n", loop.done, now() - loop.start);
    fflush(stdout);
    if (!strcmp(how, "kill")) {
        raise(SIGKILL);
    }
    return 0;
}

int main(int count, char **arguments) {
    if (count >= 3 && !strcmp(arguments[1], "serve")) {
        listener = bound(arguments[2]);
        int threads = count == 4 && !strcmp(arguments[3], "threads") ? 8 : 1;
        for (int i = 0; count == 4 && threads == 1 && i < 2; i++) {
            if (fork() == 0) {
                serve(NULL);
            }
        }
        if (count == 4 && threads == 1) {
            wait(NULL);
        }
        for (pthread_t thread; threads > 1; threads--) {
            pthread_create(&thread, NULL, serve, NULL);
        }
        serve(NULL);
    }
    if (count == 5 && !strcmp(arguments[1], "load")) {
        return load(arguments[2], arguments[3][0], atoi(arguments[4]));
    }
    if (count >= 4 && !strcmp(arguments[1], "run")) {
        return run(arguments[2][0], atof(arguments[3]), count == 5 ? arguments[4] : "");
    }
    if (count >= 2 && !strcmp(arguments[1], "arm")) {
        return arm(count == 3);
    }
    fprintf(stderr,
            "usage: handles serve SOCKET [workers|threads] | handles load SOCKET LETTER COUNT | "
            "handles run LETTER SECONDS [kill|worker|threads] | handles arm [disarm]\n");
    return 2;
}
