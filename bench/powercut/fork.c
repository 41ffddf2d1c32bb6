/* SPDX-License-Identifier: Apache-2.0
 *
 * The peer of bench/powercut: processes that do nothing, as many at a time as there are workers.
 * Arguments: workers, processes of each. Prints the seconds that took. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void spend(long processes)
{
    for (long i = 0; i < processes; i++) {
        pid_t child = fork();
        if (child == 0) {
            _exit(0);
        }
        if (child < 0 || waitpid(child, NULL, 0) != child) {
            _exit(1);
        }
    }
}

int main(int argc, char **argv)
{
    long workers = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    long processes = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    struct timespec start;
    struct timespec end;
    if (workers < 1 || processes < 1) {
        return 2;
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (long i = 0; i < workers; i++) {
        if (fork() == 0) {
            spend(processes);
            _exit(0);
        }
    }
    for (int status = 0; wait(&status) > 0;) {
        if (status != 0) {
            return 1;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.6f\n",
           (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    return 0;
}
