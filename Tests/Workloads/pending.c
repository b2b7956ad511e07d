/* pending.c: blocks all signals, sends itself each that an instruction can raise, calls what silt
 * hooks, and takes the signal with sigtimedwait(2). Prints the numbers that it took. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *volatile kept;

static void *body(void *unused) {
    kept = malloc(100);
    free(kept);
    return unused;
}

static void work(void) {
    pthread_t thread;
    kept = malloc(1 << 20);
    free(kept);
    munmap(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1 << 20);
    close(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (pthread_create(&thread, NULL, body, NULL) == 0) {
        pthread_join(thread, NULL);
    }
    void *library = dlopen("libm.so.6", RTLD_NOW);
    dlsym(library, "cos");
    dlclose(library);
    pid_t child = fork();
    if (child == 0) {
        kept = malloc(100);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

int main(void) {
    const int numbers[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS};
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        kill(getpid(), numbers[i]);
        raise(numbers[i]);
        work();
        printf("%d ", sigtimedwait(&all, NULL, &(struct timespec){0}));
        work();
        sigtimedwait(&all, NULL, &(struct timespec){0});
    }
    printf("\n");
    return 0;
}
