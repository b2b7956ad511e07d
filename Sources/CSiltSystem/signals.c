/* signals.c: the signals of a silt that stands before a program: read, passed on, given back. */
#define _GNU_SOURCE
#include "silt_signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Dispositions that silt changes for itself; what it starts gets those that it came with. */
static struct {
    int number;
    int changed;
    struct sigaction original;
} changes[] = {{.number = SIGPIPE}, {.number = SIGXFSZ}, {.number = SIGCHLD},
               {.number = SIGILL},  {.number = SIGTRAP}, {.number = SIGBUS},
               {.number = SIGFPE},  {.number = SIGSEGV}, {.number = SIGSYS}};

static sigset_t original_mask;
static int mask_saved;

static void change_to(int number, const struct sigaction *action) {
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        if (changes[i].number == number && !changes[i].changed) {
            changes[i].changed = sigaction(number, action, &changes[i].original) == 0;
        }
    }
}

static void change(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    change_to(number, &action);
}

static void change_back(int number) {
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        if (changes[i].number == number && changes[i].changed) {
            sigaction(number, &changes[i].original, NULL);
        }
    }
}

void silt_signals_prepare(void) {
    change(SIGXFSZ, SIG_IGN);
    change(SIGCHLD, SIG_DFL);
}

void silt_signals_restore(void) {
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        change_back(changes[i].number);
    }
    if (mask_saved) {
        sigprocmask(SIG_SETMASK, &original_mask, NULL);
    }
}

/* What an instruction raises, which a thread must not block. A process may send them as well. */
static const int faults[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS};
#define FAULTS (sizeof faults / sizeof *faults)

/* All but those of silt's own faults, and SIGKILL and SIGSTOP, which nobody can block. */
static void fill(sigset_t *set) {
    sigfillset(set);
    for (size_t i = 0; i < FAULTS; i++) {
        sigdelset(set, faults[i]);
    }
}

int silt_signals_block(void) {
    sigset_t set;
    fill(&set);
    if (sigprocmask(SIG_BLOCK, &set, mask_saved ? NULL : &original_mask) < 0) {
        return -1;
    }
    mask_saved = 1;
    silt_signals_prepare();
    change(SIGPIPE, SIG_IGN);
    return 0;
}

static int sent[2] = {-1, -1}; /* a pipe of fault signals that a process has sent */

/* As signalfd(2) tells of those that are blocked. */
static void tell_of_sent(int number, const siginfo_t *info) {
    struct signalfd_siginfo told = {
        .ssi_signo = (uint32_t)number,
        .ssi_code = info->si_code,
        .ssi_pid = (uint32_t)info->si_pid,
        .ssi_ptr = (uint64_t)(uintptr_t)info->si_value.sival_ptr,
    };
    int saved = errno;
    ssize_t n = write(sent[1], &told, sizeof told);
    (void)n;
    errno = saved;
}

/* Puts zeros where a mapped file has become shorter. */
static int survives(const siginfo_t *info) {
    uintptr_t page = (uintptr_t)getpagesize();
    void *at = (void *)((uintptr_t)info->si_addr & ~(page - 1));
    int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS;
    return info->si_code == BUS_ADRERR &&
           mmap(at, page, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED;
}

static void take_fault(int number, siginfo_t *info, void *context) {
    (void)context;
    if (info->si_code <= 0 && info->si_pid != getpid()) {
        tell_of_sent(number, info);
    } else if (number != SIGBUS || !survives(info)) {
        change_back(number); /* it comes again */
        if (info->si_code <= 0) {
            raise(number);
        }
    }
}

int silt_signals_open(int fds[2]) {
    sigset_t set;
    struct sigaction action = {.sa_sigaction = take_fault, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    fill(&set);
    close(sent[1]);
    if (silt_signals_block() < 0 || pipe2(sent, O_CLOEXEC | O_NONBLOCK) < 0) {
        return -1;
    }
    for (size_t i = 0; i < FAULTS; i++) {
        change_to(faults[i], &action);
    }
    fds[0] = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    fds[1] = sent[0];
    return fds[0] < 0 ? -1 : 0;
}

void silt_signal_obey(int number) {
    for (size_t i = 0; i < FAULTS; i++) {
        if (faults[i] == number) {
            change_back(number);
            raise(number);
        }
    }
}

int silt_signals_next(int fd, struct silt_signal *signal) {
    struct signalfd_siginfo info;
    ssize_t n;
    do {
        n = read(fd, &info, sizeof info);
    } while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof info) {
        return 0;
    }
    signal->number = (int)info.ssi_signo;
    signal->is_queued = info.ssi_code == SI_QUEUE;
    signal->is_sent = info.ssi_code == SI_USER || info.ssi_code == SI_TKILL || signal->is_queued;
    signal->sender = signal->is_sent ? (pid_t)info.ssi_pid : 0;
    signal->value = info.ssi_ptr;
    return 1;
}

void silt_signal_pass(int to, const struct silt_signal *signal) {
    if (signal->is_queued) {
        union sigval value = {.sival_ptr = (void *)(uintptr_t)signal->value};
        sigqueue(to, signal->number, value);
    } else {
        kill(to, signal->number);
    }
}

int silt_signal_is_ignored(int number) {
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

int silt_stop_signal(int child) {
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOHANG) < 0 || info.si_pid != child) {
        return 0;
    }
    return info.si_status;
}

static volatile sig_atomic_t receiver;

static void pass_on(int number, siginfo_t *info, void *context) {
    (void)context;
    (void)info;
    int saved = errno;
    pid_t to = (pid_t)receiver;
    if (to > 0) {
        kill(to, number);
    }
    errno = saved;
}

void silt_signals_pass_on(void) {
    static const int plain[] = {SIGUSR1, SIGUSR2, SIGALRM,   SIGVTALRM, SIGPROF,
                                SIGIO,   SIGPWR,  SIGSTKFLT, SIGWINCH};
    struct sigaction action = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    silt_signals_prepare();
    change(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (!silt_signal_is_ignored(plain[i])) {
            sigaction(plain[i], &action, NULL);
        }
    }
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
        if (!silt_signal_is_ignored(number)) {
            sigaction(number, &action, NULL);
        }
    }
}

void silt_signals_receiver(int process) {
    receiver = (sig_atomic_t)process;
}
