/* forks_threads.c: a process that has had a thread forks; the first act of the child is a thread.
 * Each of the two threads keeps 1,000 blocks of 100 bytes. Prints how the child ended. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile kept[1000];

__attribute__((noinline)) static void *thread_block(void) {
    return malloc(100);
}

static void *work(void *unused) {
    for (int i = 0; i < 1000; i++) {
        kept[i] = thread_block();
    }
    return unused;
}

int main(void) {
    int status;
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL); /* its stack is kept, and is that of the child's */
    pthread_join(thread, NULL);
    pid_t child = fork();
    if (child == 0) {
        pthread_create(&thread, NULL, work, NULL);
        pthread_join(thread, NULL);
        _exit(3);
    }
    waitpid(child, &status, 0);
    printf("%x\n", status);
    return 0;
}
