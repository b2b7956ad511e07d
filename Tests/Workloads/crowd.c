/* crowd.c COUNT: so many fork children allocate and live at the same time. Prints how many ended
 * well. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile kept;

int main(int count, char **arguments) {
    int children = count > 1 ? atoi(arguments[1]) : 0, well = 0, status;
    kept = malloc(10);
    for (int i = 0; i < children; i++) {
        if (fork() == 0) {
            kept = malloc(100);
            sleep(1);
            _exit(0);
        }
    }
    while (wait(&status) > 0) {
        well += status == 0;
    }
    printf("%d\n", well);
    return 0;
}
