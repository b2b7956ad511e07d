/* receives FILE: makes the file, then prints the number and the value of each signal that it gets,
 * one a line; SIGTERM ends it with status 4. receives alarm COMMAND...: sets an alarm of a second
 * and executes the command. receives group: signals its process group, and prints how often that
 * reached it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t seen;

static void count(int number) {
    (void)number;
    seen++;
}

int main(int argc, char **argv) {
    sigset_t set;
    siginfo_t info;
    struct timespec wait = {20, 0};
    if (argc < 2) {
        return 2;
    }
    if (strcmp(argv[1], "alarm") == 0) {
        alarm(1);
        execvp(argv[2], argv + 2);
        return 127;
    }
    if (strcmp(argv[1], "group") == 0) {
        struct sigaction action = {.sa_handler = count};
        sigaction(SIGUSR1, &action, NULL);
        kill(0, SIGUSR1);
        for (int i = 0; i < 50; i++) {
            usleep(10000);
        }
        printf("%d\n", (int)seen);
        return 0;
    }
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    close(open(argv[1], O_CREAT | O_WRONLY, 0600));
    for (;;) {
        int number = sigtimedwait(&set, &info, &wait);
        if (number < 0) {
            return 3;
        }
        printf("%d %d\n", number, info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
        fflush(stdout);
        if (number == SIGTERM) {
            return 4;
        }
    }
}
