/* SPDX-License-Identifier: Apache-2.0
 *
 * The linux board's bootloader with another main(): boots again and again in fresh processes and
 * stops the clock where the application would be executed. Beside it, in the same rounds, OpenSSL
 * hashes the same image in memory.
 *
 *     bench_boot FLASHFD,STATEFD OFFSET LENGTH ROUNDS
 *
 * prints "BOOT MEMORY HASH READ_AND_HASH" in microseconds; MEMORY is the part of BOOT that went
 * into getting memory for the program from the host.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "hal/start.h"
#include "linux_board/state.h"

typedef unsigned char *(*sha256_t)(const unsigned char *data, size_t len, unsigned char *digest);

static uint64_t started;
static int report;

typedef struct {
    uint64_t boot;
    uint64_t memory; /* part of it */
} times_t;

static times_t times;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

/* What the loader gets and returns memory for the program with. */
void *mmap(void *address, size_t len, int protection, int flags, int fd, off_t offset)
{
    uint64_t begin = now_ns();
    long mapped = syscall(SYS_mmap, address, len, protection, flags, fd, offset);
    times.memory += now_ns() - begin;
    return (void *)mapped;
}

int munmap(void *address, size_t len)
{
    uint64_t begin = now_ns();
    long status = syscall(SYS_munmap, address, len);
    times.memory += now_ns() - begin;
    return (int)status;
}

/* What the loader calls when the application is in memory and verified. */
int fexecve(int fd, char *const argv[], char *const envp[])
{
    times.boot = now_ns() - started;
    (void)fd;
    (void)argv;
    (void)envp;
    _exit(write(report, &times, sizeof(times)) == sizeof(times) ? 0 : 1);
}

static times_t boot_once(void)
{
    int ends[2];
    if (pipe(ends) != 0) {
        fail("pipe");
    }
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        report = ends[1];
        board();
        times.memory = 0;
        started = now_ns();
        bootloader_main();
    }
    close(ends[1]);
    times_t took;
    int status;
    bool told = read(ends[0], &took, sizeof(took)) == sizeof(took);
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child || !told) {
        fprintf(stderr, "the boot did not reach the application\n");
        exit(EXIT_FAILURE);
    }
    return took;
}

static void read_image(int flash, unsigned char *image, size_t len, off_t offset)
{
    if (pread(flash, image, len, offset) != (ssize_t)len) {
        fail("flash file");
    }
}

int main(int argc, char **argv)
{
    void *library = dlopen("libcrypto.so.3", RTLD_NOW);
    sha256_t sha256 = NULL;
    if (library != NULL) {
        *(void **)&sha256 = dlsym(library, "SHA256");
    }
    if (argc != 5 || sha256 == NULL) {
        fprintf(stderr, "%s\n", sha256 == NULL ? dlerror() : "four arguments");
        return EXIT_FAILURE;
    }
    setenv(LINUX_BOARD_ENVIRONMENT, argv[1], 1);
    int flash = atoi(argv[1]);
    off_t offset = strtol(argv[2], NULL, 0);
    size_t len = strtoul(argv[3], NULL, 0);
    /* Shared, so that a fork does not make its pages copy on write. */
    unsigned char *image =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned char digest[32];
    if (image == MAP_FAILED) {
        fail("memory");
    }
    for (long round = strtol(argv[4], NULL, 0); round > 0; round--) {
        times_t boot = boot_once();
        uint64_t begin = now_ns();
        read_image(flash, image, len, offset);
        sha256(image, len, digest);
        uint64_t middle = now_ns();
        sha256(image, len, digest);
        uint64_t end = now_ns();
        printf("%.1f %.1f %.1f %.1f\n", (double)boot.boot / 1e3, (double)boot.memory / 1e3,
               (double)(end - middle) / 1e3, (double)(middle - begin) / 1e3);
    }
    return 0;
}
