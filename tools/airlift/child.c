/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ui.h"

/* In the child; returns only when exec failed, with errno. */
static void become(char *const *argv, const char *log, const struct sigaction *interrupt)
{
    sigaction(SIGINT, interrupt, NULL);
    if (log != NULL) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);

        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0) {
            return;
        }
        close(fd);
    }
    execvp(argv[0], argv);
}

int child_run(char *const *argv, const char *log)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction interrupt;
    int report[2];
    int status = 0;

    fflush(NULL);
    /* The pipe closes by itself when exec succeeds, and carries errno when it does not. */
    if (pipe2(report, O_CLOEXEC) != 0) {
        ui_error("%s: %s", argv[0], strerror(errno));
        return -1;
    }
    sigaction(SIGINT, &ignore, &interrupt);
    pid_t pid = fork();
    if (pid == 0) {
        close(report[0]);
        become(argv, log, &interrupt);
        int error = errno;
        ssize_t written = write(report[1], &error, sizeof(error));
        _exit(written == (ssize_t)sizeof(error) ? 127 : 126);
    }
    int error = pid < 0 ? errno : 0;
    close(report[1]);
    if (pid > 0) {
        if (read(report[0], &error, sizeof(error)) != (ssize_t)sizeof(error)) {
            error = 0;
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    close(report[0]);
    sigaction(SIGINT, &interrupt, NULL);
    if (error == ENOENT && log == NULL) {
        ui_error("%s: not found; `make setup` in the Airlift folder installs it", argv[0]);
        return -1;
    }
    if (error != 0) {
        ui_error("%s: cannot be run: %s", argv[0], strerror(error));
        return -1;
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
